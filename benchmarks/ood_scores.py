"""Scores for `this is nothing I learned`, in numpy: what benchmarks/novelty.py compares.

Each takes what a network learned (`Learned`) and returns a function from features, float32 (N, F), to scores, float64
(N,), higher for what is strange. tests/unit/test_ood_scores.py holds them against pytorch-ood.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from weldbench.deploy.novelty import Features

Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]
NEIGHBORS = 5


@dataclass(frozen=True)
class Learned:
    """What a network learned.

    Attributes:
        features: Of training frames, float32, shape (N, F).
        labels: Class of each frame, int64, shape (N,).
        weight: Of the last layer, float32, shape (K, F).
        bias: Of the last layer, float32, shape (K,).
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Compute what the last layer says, float64, shape (N, K)."""
        return (features @ self.weight.T + self.bias).astype(np.float64)


def max_softmax(learned: Learned) -> Score:
    """Return how unsure the network is of its class (Hendrycks and Gimpel 2017)."""

    def score(features: NDArray[np.float32]) -> NDArray[np.float64]:
        logits = learned.logits(features)
        return -np.exp(logits.max(axis=1) - logsumexp(logits, axis=1))

    return score


def energy(learned: Learned) -> Score:
    """Return the free energy of the logits (Liu, Wang, Owens and Li 2020)."""
    return lambda features: -logsumexp(learned.logits(features), axis=1)


def nearest_neighbors(learned: Learned) -> Score:
    """Return the distance to the fifth nearest training frame, features normalized (Sun, Ming, Zhu and Li 2022)."""
    known = _normalized(learned.features)

    def score(features: NDArray[np.float32]) -> NDArray[np.float64]:
        squares = 2 - 2 * _normalized(features) @ known.T
        return np.sqrt(np.maximum(np.partition(squares, NEIGHBORS - 1, axis=1)[:, NEIGHBORS - 1], 0))

    return score


def mahalanobis_of_directions(learned: Learned) -> Score:
    """Return the distance to the nearest class, features normalized (Mueller and Hein 2025), as an export does."""
    return Features.of(learned.features, learned.labels).scores


def mahalanobis(learned: Learned) -> Score:
    """Return the distance to the nearest class (Lee, Lee, Lee and Shin 2018)."""
    return Features.of(learned.features, learned.labels, by_length=False).scores


def relative_mahalanobis(learned: Learned) -> Score:
    """Return its square less that of the distance to all frames as one class (Ren, Fort, Liu and others 2021)."""
    classes, all_alike = mahalanobis(learned), one_gaussian(learned)
    return lambda features: classes(features) ** 2 - all_alike(features) ** 2


def one_gaussian(learned: Learned) -> Score:
    """Return the Mahalanobis distance to all training frames as one class."""
    return Features.of(learned.features, np.zeros_like(learned.labels), by_length=False).scores


def vim(learned: Learned, directions: int = 64) -> Score:
    """Return what lies beside the principal space, with the energy: ViM (Wang, Li, Feng and Zhang 2022)."""
    origin = -np.linalg.pinv(learned.weight.astype(np.float64)) @ learned.bias
    known = learned.features - origin
    values, vectors = np.linalg.eigh(known @ known.T)  # uncentered, as in the paper
    kept = values > values[-1] * 1e-10
    principal = (known.T @ (vectors[:, kept] / np.sqrt(values[kept])))[:, -directions:]

    def beside(features: NDArray[np.float32]) -> NDArray[np.float64]:
        away = features - origin
        return np.sqrt(np.maximum((away**2).sum(axis=1) - ((away @ principal) ** 2).sum(axis=1), 0))

    scale = learned.logits(learned.features).max(axis=1).mean() / beside(learned.features).mean()
    return lambda features: scale * beside(features) - logsumexp(learned.logits(features), axis=1)


METHODS: dict[str, Callable[[Learned], Score]] = {
    "max softmax": max_softmax,
    "energy": energy,
    "nearest neighbors": nearest_neighbors,
    "ViM": vim,
    "one Gaussian": one_gaussian,
    "Mahalanobis": mahalanobis,
    "relative Mahalanobis": relative_mahalanobis,
    "Mahalanobis of directions": mahalanobis_of_directions,
}


def _normalized(features: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = features.astype(np.float64)
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-10)
