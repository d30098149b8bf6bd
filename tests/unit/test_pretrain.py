import pytest
import torch

from weldbench.config.models import TorchvisionModel
from weldbench.config.training import Hardware, Pretrain
from weldbench.models.files import load_trained
from weldbench.models.initialization import IMAGENET, initial_network
from weldbench.runtime.hardware import prepare
from weldbench.training.pretrain import pretrain_backbone
from weldbench.training.pretrain_settings import backbone_settings
from weldbench.weldsim import CLASSES

MODEL = TorchvisionModel(
    architecture="resnet18", input_size_px=64, epochs=30, learning_rate=0.006, init="simulated", freeze="backbone"
)
HARDWARE = Hardware(device="cpu", precision="fp32", threads=1)


def backbone(output, workers, **changes):
    settings = {"input_size_px": 32, "steps": 3, "batch_size": 4, "workers": workers, **changes}
    pretrain = Pretrain(**settings)
    pretrain_backbone(prepare(HARDWARE), backbone_settings(MODEL, pretrain), pretrain, HARDWARE, output)
    return output


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_number_of_renderers_but_on_the_seed(tmp_path):
    alone = backbone(tmp_path / "alone.safetensors", 1).read_bytes()
    assert backbone(tmp_path / "three.safetensors", 3).read_bytes() == alone
    assert backbone(tmp_path / "seed.safetensors", 1, seed=1).read_bytes() != alone


def test_a_backbone_is_what_a_training_with_init_simulated_starts_from(tmp_path):
    path = backbone(tmp_path / "resnet18-simulated.safetensors", 1, steps=1)
    network, info = load_trained(path)
    assert (info.dataset, info.classes, info.settings.init) == ("simulated", list(CLASSES), "scratch")
    started, normalization = initial_network(MODEL, list(CLASSES), path, IMAGENET)
    assert normalization == info.normalization
    frames = torch.randn(2, 1, 64, 64)
    torch.testing.assert_close(started.eval()(frames), network(frames))
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


def test_settings_come_from_the_section_pretrain_alone():
    settings = backbone_settings(
        MODEL, Pretrain(steps=4, input_size_px=48, optimizer="sgd", learning_rate=0.1, batch_size=16)
    )
    assert (settings.epochs, settings.input_size_px, settings.learning_rate, settings.batch_size) == (4, 48, 0.1, 16)
    assert (settings.optimizer, settings.init, settings.freeze) == ("sgd", "scratch", "none")
    assert settings.momentum == MODEL.momentum


@pytest.mark.parametrize(("steps", "rounds"), [(1200, 10), (4, 4), (21, 7), (19, 1)])
def test_rounds_hold_every_step(steps, rounds):
    assert backbone_settings(MODEL, Pretrain(steps=steps)).epochs == rounds
