import numpy as np
import pytest
import torch
from made_up_predictions import CLASSES, predictions
from torch import nn

from weldbench.data.normalization import Normalization
from weldbench.evaluation.predictions import select_split
from weldbench.models.saliency import explain, frames_to_explain, last_feature_map
from weldbench.reporting.figures.explanations import explanation_figure


class BrightCorner(nn.Module):
    """Class 1 if the top left quarter of a frame is bright; every other pixel is ignored."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 3, padding=1)
        nn.init.constant_(self.convolution.weight, 1 / 9)
        nn.init.zeros_(self.convolution.bias)

    def forward(self, frames):
        side = frames.shape[-1] // 2
        corner = self.convolution(frames)[:, 0, :side, :side].mean(dim=(1, 2))
        return torch.stack([-corner, corner], dim=1)


@pytest.fixture
def frames():
    return np.full((2, 16, 16), 200, dtype=np.uint8)


def heat_of(network, frames, predicted=1):
    found = explain(network.eval(), Normalization(0.0, 1.0), frames, [5, 9], np.full(2, predicted))
    assert [one.position for one in found] == [5, 9]
    return np.stack([one.heat for one in found])


def test_a_network_without_convolutions_is_explained_by_its_gradient(frames):
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 2, bias=False))
    nn.init.zeros_(network[1].weight)
    with torch.no_grad():
        network[1].weight.view(2, 16, 16)[1, 8:, 8:] = 1
    heat = heat_of(network, frames)
    assert heat[:, 10:, 10:].min() == 1
    assert heat[:, :5, :5].max() == 0


def test_heat_lies_between_0_and_1_and_follows_the_bright_part():
    frames = np.zeros((2, 16, 16), dtype=np.uint8)
    frames[:, 2:6, 2:6] = 255
    heat = heat_of(BrightCorner(), frames)
    assert heat.shape == (2, 16, 16)
    assert heat.min() >= 0
    assert heat.max() == 1
    assert heat[:, 3:5, 3:5].min() > 0.5
    assert heat[:, 9:, 9:].max() == 0


def test_maps_of_one_value_are_passed_over():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 2, 1), nn.Flatten())
    assert last_feature_map(network, torch.zeros(1, 1, 8, 8)) is network[0]
    assert last_feature_map(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), torch.zeros(1, 1, 8, 8)) is None


def test_the_surest_right_and_wrong_frame_of_each_class_are_chosen():
    sure, unsure, wrong = np.full(6, 0.02), np.full(6, 0.1), np.full(6, 0.1)
    sure[0], unsure[0], wrong[2] = 0.9, 0.5, 0.5
    table = predictions(CLASSES, [0, 0, 0], [unsure, sure, wrong], "run")
    chosen = frames_to_explain(select_split(table, "test"))
    assert chosen == [(1, 2)] + [(None, None)] * 5


def test_the_figure_says_where_a_class_has_no_such_frame():
    table = predictions(CLASSES[:2], [0], [[0.9, 0.1]], "run")
    frames = select_split(table, "test")
    found = explain(BrightCorner().eval(), Normalization(0.0, 1.0), np.zeros((1, 8, 8), np.uint8), [0], np.array([0]))
    figure = explanation_figure(frames, frames_to_explain(frames), {0: found[0]}, "title")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "good weld\nright: good weld (0.90)" in titles
    assert "good weld\nno wrong frame" in titles
    assert titles.count("burn through\nno right frame") == 1
