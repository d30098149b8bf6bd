import copy
import hashlib
import io
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pydantic import ValidationError
from safetensors import safe_open
from torch import nn
from torchvision.models import Weights, WeightsEnum, get_model

from weldbench.config.models import ARCHITECTURES, Conv6, Model, TorchvisionModel
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.architectures import build_network, network_of
from weldbench.models.files import TrainedInfo, load_trained, read_tensors, save_network, write_tensors
from weldbench.models.initialization import IMAGENET, initial_network
from weldbench.models.torchvision_models import (
    fold_to_gray,
    head_name,
    pool_before_relu,
    replace_classes,
    torchvision_network,
)
from weldbench.weldsim import CLASSES as WELDSIM

OWN = Normalization(0.4, 0.3)
OTHERS = ["good", "cracks", "pores"]  # classes that no backbone knows
ZOO = [
    "resnet18",
    "mobilenet_v3_small",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("resnet50", "densenet169", "efficientnet_b0", "convnext_tiny", "vit_b_16")
    ),
]


def settings(architecture: str, size: int = 32, **values) -> Model:
    raw = {"architecture": architecture, "input_size_px": size, "epochs": 1, "learning_rate": 0.01, **values}
    return Model.model_validate(raw)


def test_full_con6_has_the_parameters_of_its_layers():
    network = build_network(settings("full_con6", 64, hidden=[256, 128]), 6)
    assert sum(p.numel() for p in network.parameters()) == 4096 * 256 + 256 + 256 * 128 + 128 + 128 * 6 + 6
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 6)


@pytest.mark.parametrize(
    ("size", "pool", "kernel", "side"), [(112, 2, 5, 14), (113, 2, 5, 14), (112, 3, 5, 4), (64, 2, 4, 8)]
)
def test_conv6_has_the_parameters_of_its_layers(size, pool, kernel, side):
    network = build_network(settings("conv6", size, pool_size=pool, kernel_size=kernel), 6)
    convolutions = sum(a * b * kernel**2 + b for a, b in [(1, 16), (16, 32), (32, 64)])
    assert sum(p.numel() for p in network.parameters()) == convolutions + 64 * side**2 * 256 + 256 + 256 * 6 + 6
    assert network(torch.zeros(2, 1, size, size)).shape == (2, 6)


@pytest.mark.parametrize("architecture", ZOO)
def test_one_gray_channel_gives_the_outputs_of_three_equal_ones_at_the_border_too(architecture):
    torch.manual_seed(0)
    network = torchvision_network(settings(architecture, 48), 6).eval()
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    # A bias is what a cheaper way of folding would get wrong near the border; bright borders would show it.
    gray = torch.randn(2, 1, 48, 48) + 2.0
    with torch.no_grad():
        three, first_three = network(gray.expand(-1, 3, -1, -1)), first(gray.expand(-1, 3, -1, -1))
        folded = fold_to_gray(network)
        first = next(module for module in folded.modules() if isinstance(module, nn.Conv2d))
        torch.testing.assert_close(first(gray), first_three, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(folded(gray), three, rtol=1e-3, atol=1e-4)


def test_a_stem_that_pools_first_learns_the_same():
    torch.manual_seed(0)
    usual = torchvision_network(settings("resnet18", 64), 6)
    moved = pool_before_relu(copy.deepcopy(usual))
    assert isinstance(moved.relu, nn.Identity)
    assert list(moved.state_dict()) == list(usual.state_dict())
    frames, labels = torch.randn(4, 3, 64, 64), torch.tensor([0, 2, 3, 5])
    for network in (usual, moved):
        nn.functional.cross_entropy(network(frames), labels).backward()
    for one, other in zip(usual.parameters(), moved.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize("architecture", ZOO)
def test_networks_of_the_zoo_get_one_channel_and_our_classes(architecture):
    network = replace_classes(build_network(settings(architecture, 48), 9), 4)
    assert network.eval()(torch.zeros(1, 1, 48, 48)).shape == (1, 4)


@pytest.mark.parametrize(
    ("architecture", "size", "message"),
    [
        ("conv6", 4, "input_size_px is 4, too small"),
        ("vit_b_16", 50, "multiple of 16"),
        ("convnext_tiny", 8, "does not fit"),
    ],
)
def test_an_input_size_that_does_not_fit_names_the_setting(architecture, size, message):
    with pytest.raises(InputError, match=message):
        build_network(settings(architecture, size), 6)


def test_freezing_random_weights_is_refused():
    with pytest.raises(ValidationError, match="nothing learned to keep"):
        settings("resnet18", init="scratch", freeze="backbone")


def test_a_saved_network_comes_back_with_all_that_is_needed_to_use_it(tmp_path):
    network = build_network(settings("full_con6", 8, hidden=[5]), 2).eval()
    info = TrainedInfo(settings("full_con6", 8, hidden=[5]), ["good", "bad"], OWN, "weldsim", 3, 7)
    path = tmp_path / "model.safetensors"
    save_network(path, network.state_dict(), info)
    again, facts = load_trained(path)
    assert facts == info
    frame = torch.randn(1, 1, 8, 8)
    torch.testing.assert_close(again(frame), network(frame), rtol=0, atol=0)
    with safe_open(path, "pt") as file:
        assert list(file.metadata()) == ["weldbench"]


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_a_file_that_is_no_model_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        load_trained(path)


def test_simulated_start_keeps_the_backbone_and_its_normalization(tmp_path):
    backbone = build_network(settings("resnet18"), 6)
    path = tmp_path / "resnet18-simulated.safetensors"
    save_network(
        path, backbone.state_dict(), TrainedInfo(settings("resnet18"), list("abcdef"), OWN, "simulated", None, 0)
    )
    network, normalization = initial_network(settings("resnet18", 64, init="simulated"), OTHERS, path, IMAGENET)
    assert normalization == OWN
    assert network.fc.out_features == 3
    torch.testing.assert_close(network.layer4[1].conv2.weight, backbone.layer4[1].conv2.weight)
    with pytest.raises(InputError, match=r"backbone of resnet18, and models\.resnet34 is a resnet34"):
        initial_network(settings("resnet34", init="simulated"), OTHERS, path, IMAGENET)
    with pytest.raises(InputError, match="no backbone was given"):
        initial_network(settings("resnet18", init="simulated"), OTHERS, None, IMAGENET)


@pytest.fixture
def backbone_file(tmp_path):
    path = tmp_path / "resnet18-simulated.safetensors"
    info = TrainedInfo(settings("resnet18"), list(WELDSIM), OWN, "simulated", None, 0)
    save_network(path, build_network(settings("resnet18"), len(WELDSIM)).state_dict(), info)
    return path


def test_a_backbone_of_the_same_classes_keeps_its_last_layer_and_of_others_gets_a_fresh_one(backbone_file):
    learned, _ = load_trained(backbone_file)
    same, _ = initial_network(settings("resnet18", init="simulated"), list(WELDSIM), backbone_file, OWN)
    torch.testing.assert_close(same.fc.weight, learned.fc.weight, rtol=0, atol=0)
    reordered = list(reversed(WELDSIM))
    other, _ = initial_network(settings("resnet18", init="simulated"), reordered, backbone_file, OWN)
    assert not torch.equal(other.fc.weight, learned.fc.weight)


@pytest.mark.parametrize(("init", "classes"), [("scratch", WELDSIM), ("simulated", OTHERS)])
def test_a_share_of_a_random_last_layer_is_refused(backbone_file, init, classes):
    asked = settings("resnet18", init=init, pretrained_share=0.5)
    with pytest.raises(InputError, match=r"models\.resnet18\.pretrained_share is 0\.5.*last layer starts from random"):
        initial_network(asked, list(classes), backbone_file, OWN)


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """An empty TORCH_HOME, and a network that answers nothing."""

    def refuse(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_imagenet_weights_that_are_not_to_be_had_name_file_folder_and_alternatives(torch_home):
    with pytest.raises(InputError) as error:
        initial_network(settings("resnet18", init="imagenet"), OTHERS, None, OWN)
    for split in ("resnet18-f37072fd.pth", str(torch_home), "TORCH_HOME", "scratch", "simulated"):
        assert split in str(error.value)


def test_damaged_imagenet_weights_are_found_by_their_hash(torch_home):
    path = torch_home / "resnet18-f37072fd.pth"
    path.write_bytes(b"cut off")
    with pytest.raises(InputError, match="sha256 does not begin with f37072fd; delete it") as error:
        initial_network(settings("resnet18", init="imagenet"), OTHERS, None, OWN)
    assert str(error.value).startswith(str(path))
    assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in str(error.value)


@pytest.mark.parametrize("sent", [b"", b"an error page"])
def test_a_damaged_download_is_refused_and_leaves_nothing(torch_home, monkeypatch, sent):
    answer = io.BytesIO(sent)
    answer.info = lambda: SimpleNamespace(get_all=lambda name: [str(len(sent))])
    monkeypatch.setattr(torch.hub, "urlopen", lambda request: answer)
    with pytest.raises(
        InputError, match=r"could not be downloaded \(invalid hash value .*put the file resnet18-f37072fd"
    ):
        initial_network(settings("resnet18", init="imagenet"), OTHERS, None, OWN)
    assert list(torch_home.iterdir()) == []


def test_cached_imagenet_weights_are_folded_and_get_our_classes(torch_home, monkeypatch):
    published = torchvision_network(settings("resnet18"), 1000)
    path = torch_home / "published.pth"
    torch.save(published.state_dict(), path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    path.rename(torch_home / f"resnet18-{digits}.pth")

    class Published(WeightsEnum):
        DEFAULT = Weights(f"https://unreachable.invalid/resnet18-{digits}.pth", transforms=None, meta={})

    monkeypatch.setattr("torchvision.models.get_model_weights", lambda name: Published)
    network, normalization = initial_network(settings("resnet18", init="imagenet"), OTHERS, None, OWN)
    assert normalization == IMAGENET
    torch.testing.assert_close(network.conv1.weight, published.conv1.weight.sum(1, keepdim=True))
    assert network.fc.out_features == 3


def test_every_architecture_of_params_is_one_of_torchvision():
    from torchvision.models import list_models

    names = TorchvisionModel.model_fields["architecture"].annotation.__args__
    assert set(names) <= set(list_models())


@pytest.mark.parametrize(
    "architecture", ["swin_t", "squeezenet1_1", "shufflenet_v2_x0_5", "regnet_x_400mf", "mnasnet0_5"]
)
def test_whatever_a_head_is_called_and_made_of_it_is_found_and_gets_our_classes(architecture):
    network = get_model(architecture, num_classes=9)
    backbone = {name: part for name, part in network.named_children() if name != head_name(network)}
    before = copy.deepcopy(nn.ModuleDict(backbone).state_dict())
    assert replace_classes(fold_to_gray(network), 4).eval()(torch.zeros(1, 1, 64, 64)).shape == (1, 4)
    # All but the head and the first convolution, of which one gray channel is left, is as it was.
    changed = {k for k, v in nn.ModuleDict(backbone).state_dict().items() if v.shape != before[k].shape}
    assert len(changed) == 1


@pytest.mark.parametrize("settings_class", dict.fromkeys(ARCHITECTURES.values()))
def test_every_class_of_settings_has_a_function_that_builds_its_network(settings_class):
    assert network_of.dispatch(settings_class) is not network_of.dispatch(object)


def test_two_classes_of_settings_do_not_share_a_name():
    with pytest.raises(ValueError, match="Again: there is an architecture conv6 already"):

        class Again(Conv6):
            pass

    assert ARCHITECTURES["conv6"] is Conv6


def test_conv6_gives_what_it_would_with_relu_before_the_pooling():
    torch.manual_seed(0)
    usual = build_network(
        Conv6(architecture="conv6", input_size_px=32, channels=[4, 8], epochs=1, batch_size=1, learning_rate=0.1), 6
    )
    ours, frames = copy.deepcopy(usual), torch.randn(8, 1, 32, 32)
    for position in (1, 4):
        usual[position], usual[position + 1] = nn.ReLU(), usual[position]
    for network in (usual, ours):
        network(frames).square().sum().backward()
    assert torch.equal(usual(frames), ours(frames))
    for one, other in zip(usual.parameters(), ours.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize(
    ("mistake", "key"),
    [
        (lambda: build_network(settings("conv6", 4, name="my_net"), 6), "input_size_px"),
        (lambda: build_network(settings("vit_b_16", 40, name="my_net"), 6), "input_size_px"),
        (lambda: build_network(settings("densenet169", 8, name="my_net"), 6), "input_size_px"),
        (lambda: initial_network(settings("resnet18", name="my_net", init="simulated"), OTHERS, None, OWN), "init"),
        (
            lambda: initial_network(
                settings("resnet18", name="my_net", init="imagenet", pretrained_share=0.5), OTHERS, None, OWN
            ),
            "pretrained_share",
        ),
    ],
)
def test_a_message_names_the_key_that_the_user_wrote_not_the_architecture(mistake, key):
    with pytest.raises(InputError, match=rf"models\.my_net\.{key} is "):
        mistake()


def test_a_file_tells_a_model_s_name_from_its_architecture(tmp_path):
    own = settings("conv6", name="my_net", channels=[4], hidden=8)
    info = TrainedInfo(own, OTHERS, OWN, "mine", 0, 0)
    save_network(tmp_path / "model.safetensors", build_network(own, 3).state_dict(), info)
    _, note = read_tensors(tmp_path / "model.safetensors")
    assert (note["model"], note["architecture"]) == ("my_net", "conv6")
    _, read = load_trained(tmp_path / "model.safetensors")
    assert (read.settings.name, read.settings.architecture) == ("my_net", "conv6")


def test_tensors_are_written_whole_or_not_at_all_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    path, beside = tmp_path / "some.safetensors", tmp_path / "text.txt"
    beside.write_text("")
    left_by_a_kill = tmp_path / ".some.partial"
    left_by_a_kill.mkdir()
    (left_by_a_kill / ".tmpX").write_bytes(b"half")
    write_tensors(path, {"a": torch.arange(6.0).reshape(2, 3).T}, {"note": 1})
    assert sorted(file.name for file in tmp_path.iterdir()) == ["some.safetensors", "text.txt"]
    assert path.stat().st_mode == beside.stat().st_mode  # others may read it
    with pytest.raises(TypeError):
        write_tensors(path, {"a": torch.zeros(1)}, {"note": object()})
    tensors, note = read_tensors(path)
    assert tensors["a"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert note == {"note": 1}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["some.safetensors", "text.txt"]
