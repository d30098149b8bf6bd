import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from weldbench.config.models import FullCon6
from weldbench.training.losses import class_weights, loss_per_frame


def settings(**values):
    return FullCon6(architecture="full_con6", input_size_px=8, epochs=1, learning_rate=1, **values)


def test_focal_loss_by_hand():
    logits = torch.log(torch.tensor([[0.8, 0.1, 0.1], [0.25, 0.5, 0.25]]))
    loss = loss_per_frame(settings(loss="focal", focal_gamma=2.0), logits, torch.tensor([0, 0]))
    assert loss.tolist() == pytest.approx([-(0.2**2) * math.log(0.8), -(0.75**2) * math.log(0.25)], rel=1e-5)


def test_focal_loss_without_gamma_is_cross_entropy():
    logits, labels = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3, 0])
    expected = cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(loss_per_frame(settings(loss="focal", focal_gamma=0.0), logits, labels), expected)
    torch.testing.assert_close(loss_per_frame(settings(), logits, labels), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_loss_has_a_slope_where_the_network_is_sure(gamma):
    logits = torch.tensor([[40.0, 0.0, 0.0], [0.0, 40.0, 0.0]], requires_grad=True)
    loss_per_frame(settings(loss="focal", focal_gamma=gamma), logits, torch.tensor([0, 0])).sum().backward()
    assert logits.grad[0].abs().max() < 1e-6
    assert logits.grad[1, 0] < -0.9


def test_label_smoothing_by_hand():
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1]]))
    loss = loss_per_frame(settings(label_smoothing=0.3), logits, torch.tensor([0]))
    assert float(loss) == pytest.approx(-(0.8 * math.log(0.7) + 0.1 * math.log(0.2) + 0.1 * math.log(0.1)), rel=1e-5)


def test_class_weights_by_hand():
    counts = np.array([90, 10])
    # 1/90 and 1/10, scaled so that 100 frames weigh 100.
    np.testing.assert_allclose(class_weights(settings(class_weights="balanced"), counts), [100 / 180, 5.0])
    effective = class_weights(settings(class_weights="effective_number", effective_beta=0.9), counts)
    assert effective[1] / effective[0] == pytest.approx((1 - 0.9**90) / (1 - 0.9**10))
    np.testing.assert_allclose(class_weights(settings(), counts), [1.0, 1.0])
    for kind in ("none", "balanced", "effective_number"):
        assert (class_weights(settings(class_weights=kind), counts) * counts).sum() == pytest.approx(100)
