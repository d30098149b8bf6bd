"""The scores that the benchmark compares order frames as pytorch-ood does, and an export's score is one of them."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_ood import detector as reference
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from ood_scores import METHODS, NEIGHBORS, Learned

WIDTH, CLASSES, DIRECTIONS = 10, 3, 4


@pytest.fixture(scope="module")
def learned() -> Learned:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % CLASSES
    middles, mixed = 2 * rng.standard_normal((CLASSES, WIDTH)), rng.standard_normal((WIDTH, WIDTH))
    features = middles[labels] + rng.standard_normal((600, WIDTH)) @ mixed
    weight, bias = rng.standard_normal((CLASSES, WIDTH)), rng.standard_normal(CLASSES)
    return Learned(features.astype(np.float32), labels, weight.astype(np.float32), bias.astype(np.float32))


@pytest.fixture(scope="module")
def judged() -> np.ndarray:
    return (4 * np.random.default_rng(1).standard_normal((200, WIDTH))).astype(np.float32)


def of_features(detector: object, learned: Learned, judged: np.ndarray) -> np.ndarray:
    detector.fit_features(torch.from_numpy(learned.features), torch.from_numpy(learned.labels))
    return detector.predict_features(torch.from_numpy(judged)).numpy()


def of_logits(detector: type, learned: Learned, judged: np.ndarray) -> np.ndarray:
    return detector.score(torch.from_numpy(learned.logits(judged))).numpy()


REFERENCES = {
    "max softmax": lambda *given: of_logits(reference.MaxSoftmax, *given),
    "energy": lambda *given: of_logits(reference.EnergyBased, *given),
    "nearest neighbors": lambda *given: of_features(reference.KNN(None, k=NEIGHBORS), *given),
    "Mahalanobis": lambda *given: of_features(reference.Mahalanobis(None), *given),
    "relative Mahalanobis": lambda *given: of_features(reference.RMD(None), *given),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_frames_are_ordered_as_by_pytorch_ood(name: str, learned: Learned, judged: np.ndarray) -> None:
    ours, theirs = METHODS[name](learned)(judged), REFERENCES[name](learned, judged)
    assert spearmanr(ours, theirs).statistic == pytest.approx(1, abs=1e-4)


def test_vim_is_that_of_pytorch_ood(learned: Learned, judged: np.ndarray) -> None:
    weight, bias = torch.from_numpy(learned.weight), torch.from_numpy(learned.bias)
    theirs = of_features(reference.ViM(None, DIRECTIONS, weight, bias), learned, judged)
    ours = METHODS["ViM"](learned, DIRECTIONS)(judged)
    assert spearmanr(ours, theirs).statistic == pytest.approx(1, abs=1e-3)
