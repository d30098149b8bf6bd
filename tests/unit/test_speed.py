"""What makes a network fast leaves its outputs as they are."""

import copy

import pytest
import torch
from torch import nn
from torchvision.models import get_model

from weldbench.models.speed import made_fast


def depthwise_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2),
        nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False),
        nn.Conv2d(8, 8, 3, groups=2),
        nn.Conv2d(8, 3, 1),
    )


def test_outputs_gradients_and_names_stay_the_same_in_float32():
    usual = depthwise_network()
    fast = made_fast(copy.deepcopy(usual))
    frames = torch.randn(2, 1, 16, 16)
    assert list(fast.state_dict()) == list(usual.state_dict())
    torch.testing.assert_close(fast(frames), usual(frames))
    for network in (usual, fast):
        network(frames).square().sum().backward()
    for one, other in zip(usual.parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_only_depthwise_convolutions_that_learn_leave_bfloat16():
    fast, kinds = made_fast(depthwise_network()), {}
    for name, layer in fast.named_children():
        layer.register_forward_hook(lambda _, __, output, name=name: kinds.update({name: output.dtype}))
    with torch.autocast("cpu", torch.bfloat16):
        fast(torch.randn(2, 1, 16, 16)).float().sum().backward()
    assert kinds == {"0": torch.bfloat16, "1": torch.float32, "2": torch.bfloat16, "3": torch.bfloat16}
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        fast.eval()(torch.randn(2, 1, 16, 16))
    assert set(kinds.values()) == {torch.bfloat16}


@pytest.mark.parametrize("architecture", ["mobilenet_v3_small", "convnext_tiny"])
def test_networks_of_the_zoo_keep_their_outputs_and_may_be_copied(architecture):
    usual = get_model(architecture, num_classes=4).eval()
    fast = copy.deepcopy(made_fast(copy.deepcopy(usual)))
    frames = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(fast(frames), usual(frames), rtol=1e-4, atol=1e-5)
