"""A backbone that sees each frame in several sizes, and several of its stages."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weldbench.config.models import Model
from weldbench.config.training import Hardware
from weldbench.data.normalization import normalize
from weldbench.data.resize import area_mean
from weldbench.data.split import SplitFrames
from weldbench.models.architectures import build_network
from weldbench.models.efficientnet_lite import NORMALIZATION, _last_maps, efficientnet_lite0
from weldbench.models.features import without_last_layer
from weldbench.models.files import TrainedInfo, load_trained, save_network
from weldbench.models.inference import logits_of
from weldbench.models.multi_scale import MultiScale, area_matrix
from weldbench.models.saliency import explain, last_feature_map
from weldbench.models.torchvision_models import fold_to_gray, head_name, replace_classes
from weldbench.runtime.hardware import prepare

WIDTHS = {1: 1280, 2: 1280 + 320, 3: 1280 + 320 + 192}  # channels of the last stages


def settings_of(size: int = 48, others: tuple[int, ...] = (32,), stages: int = 1) -> Model:
    raw = {"architecture": "efficientnet_lite0", "init": "scratch", "input_size_px": size}
    return Model.model_validate({**raw, "other_sizes_px": list(others), "feature_stages": stages})


def network_of(given: Model, classes: int = 3) -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network(given, classes).eval()


def frames(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 256, (count, size, size), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(pixels=st.integers(1, 96), areas=st.integers(1, 96), seed=st.integers(0, 9))
def test_a_smaller_frame_is_that_of_area_mean_within_half_a_level(pixels, areas, seed):
    frame = np.random.default_rng(seed).integers(0, 256, (pixels, pixels), dtype=np.uint8)
    shares = area_matrix(pixels, areas)
    assert (shares.shape, shares.dtype) == ((areas, pixels), torch.float32)
    torch.testing.assert_close(shares.sum(1), torch.ones(areas))
    scaled = (shares @ torch.from_numpy(frame).float() @ shares.T).numpy()
    assert np.abs(scaled - area_mean(frame, areas)).max() < 0.5 + 1e-3


@pytest.mark.parametrize("size", [32, 33, 48])
def test_one_size_and_one_stage_are_the_plain_network(size):
    torch.manual_seed(0)
    plain = fold_to_gray(efficientnet_lite0(3)).eval()
    inputs = normalize(torch.from_numpy(frames(2, size)), NORMALIZATION)
    wrapped = MultiScale(plain, partial(_last_maps, 1), [size], 3).eval()
    wrapped.classifier.load_state_dict(plain.classifier.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(wrapped(inputs), plain(inputs), rtol=1e-4, atol=1e-5)
    assert not isinstance(build_network(settings_of(size, ()), 3), MultiScale)


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize(("size", "others"), [(48, (32,)), (48, (40, 32)), (33, (17, 1)), (64, ())])
def test_features_are_those_of_the_backbone_at_each_size_the_largest_last(size, others, stages):
    given = settings_of(size, others, stages)
    network = network_of(given)
    inputs = normalize(torch.from_numpy(frames(2, size)), NORMALIZATION)
    with torch.no_grad():
        features = without_last_layer(network, given)(inputs)
        expected = []
        for size_px in sorted([*others, size]):
            shares = area_matrix(size, size_px)
            seen = shares @ inputs @ shares.T if size_px < size else inputs
            backbone = network.backbone if isinstance(network, MultiScale) else network
            expected += [one.mean((2, 3)) for one in _last_maps(stages, backbone, seen)]
    assert features.shape == (2, WIDTHS[stages] * (1 + len(others)))
    torch.testing.assert_close(features, torch.cat(expected, 1), rtol=1e-4, atol=1e-5)
    assert network(inputs).shape == (2, 3)


def test_the_order_of_the_other_sizes_does_not_count():
    one, other = network_of(settings_of(48, (40, 32))), network_of(settings_of(48, (32, 40)))
    inputs = normalize(torch.from_numpy(frames(2, 48)), NORMALIZATION)
    with torch.no_grad():
        assert torch.equal(one(inputs), other(inputs))


def test_its_file_gives_it_back(tmp_path):
    given = settings_of(48, (32, 33), 2)
    network = network_of(given)
    info = TrainedInfo(given, list("abc"), NORMALIZATION, "weldsim", 0, 0)
    save_network(tmp_path / "model.safetensors", network.state_dict(), info)
    again, read = load_trained(tmp_path / "model.safetensors")
    inputs = normalize(torch.from_numpy(frames(2, 48)), NORMALIZATION)
    assert read == info
    with torch.no_grad():
        assert torch.equal(again(inputs), network(inputs))
    assert not any("areas" in name for name in network.state_dict())


def test_sizes_are_made_in_full_precision_under_bf16():
    network, split = network_of(settings_of(48, (33,))), frames(3, 48)
    lines = np.arange(3)
    given = SplitFrames(split, lines, lines, lines, np.ones(3, np.float32))
    seen = []
    network.backbone.conv_stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    bf16 = logits_of(prepare(Hardware(device="cpu", precision="bf16", threads=1)), network, given, NORMALIZATION)
    assert [inputs.dtype for inputs in seen] == [torch.float32] * 2
    full = logits_of(prepare(Hardware(device="cpu", precision="fp32", threads=1)), network, given, NORMALIZATION)
    torch.testing.assert_close(bf16, full, rtol=0.05, atol=0.05)


def test_what_is_explained_is_the_last_map_of_the_largest_size():
    network = network_of(settings_of(96, (64,), 3))
    assert head_name(network) == "classifier"
    assert last_feature_map(network, torch.zeros(1, 1, 96, 96)) is network.backbone.bn2
    found = explain(network, NORMALIZATION, frames(2, 96), [0, 1], np.array([0, 2]))
    heat = np.stack([one.heat for one in found])
    assert heat.shape == (2, 96, 96)
    assert (heat.min(), heat.max()) == (0, 1)


def test_other_classes_get_a_fresh_last_layer_on_all_features():
    network = replace_classes(network_of(settings_of(48, (32,), 3)), 7)
    assert network.classifier.weight.shape == (7, 2 * WIDTHS[3])
