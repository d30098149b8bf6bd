import json

import pytest
from blobs import write_blobs, write_params

from weldbench.config import load_params
from weldbench.data.dataset import open_dataset
from weldbench.errors import InputError
from weldbench.reporting.tables.sweep import sweep_table, write_sweep
from weldbench.runtime.hardware import prepare
from weldbench.training.setup import TrainingJob
from weldbench.training.sweep import point_settings, train_point


def test_a_point_changes_length_rate_and_what_could_favor_a_depth(tmp_path):
    own = "{input_size_px: 32, init: simulated, epochs: 9, learning_rate: 0.5, optimizer: adamw"
    more = "batch_size: 7, min_steps: 99, pretrained_share: 0.5, freeze: until layer3"
    path = write_params(tmp_path, resnet18=f"{own}, {more}}}")
    params = load_params(path)
    settings = point_settings(params, "resnet18", 3, 0.01)
    expected = {"epochs": 3, "learning_rate": 0.01, "init": "imagenet", "optimizer": "sgd", "batch_size": 32}
    expected |= {"min_steps": 0}
    assert settings == params.models["resnet18"].model_copy(update=expected | {"pretrained_share": 0.0})
    scratch = params.model_copy(update={"sweep": params.sweep.model_copy(update={"init": "scratch"})})
    assert point_settings(scratch, "resnet18", 3, 0.01).freeze == "none"
    frozen = load_params(write_params(tmp_path, resnet18=f"{own}, freeze: backbone}}"))
    with pytest.raises(InputError, match=r"sweep\.models names resnet18, which has freeze: backbone"):
        point_settings(frozen, "resnet18", 3, 0.01)
    sizes = "{input_size_px: 64, other_sizes_px: [32], init: scratch}"
    params = load_params(write_params(tmp_path, efficientnet_lite0=sizes))
    smaller = params.model_copy(update={"sweep": params.sweep.model_copy(update={"input_size_px": 32})})
    with pytest.raises(InputError, match=r"with what sweep sets .* other_sizes_px: each of \[32\] has to be smaller"):
        point_settings(smaller, "efficientnet_lite0", 3, 0.01)
    with pytest.raises(InputError, match="has the models full_con6, conv6, resnet18"):
        point_settings(params, "resnet19", 3, 0.01)


def test_a_point_tells_what_valid_says_and_leaves_nothing_else(tmp_path):
    split = write_blobs(tmp_path / "data")
    params = load_params(write_params(tmp_path))
    settings = point_settings(params, "full_con6", 2, 0.02)
    dataset = open_dataset(tmp_path / "data")
    job = TrainingJob("blobs", dataset, split, None, settings, params.train, params.hardware, 0, 0)
    output = tmp_path / "points" / "full_con6-2-0.02.json"
    train_point(prepare(params.hardware), job, output)
    point = json.loads(output.read_text())
    assert (point["model"], point["epochs"], point["learning_rate"]) == ("full_con6", 2, 0.02)
    assert 0.3 < point["valid_macro_f1"] <= 1
    assert [path.name for path in output.parent.iterdir()] == [output.name]


@pytest.mark.parametrize("doubts", ["", "valid has 2 runs or more of no class"])
def test_the_table_puts_the_best_on_valid_first_and_loss_decides_among_equals(tmp_path, doubts):
    paths = []
    for number, (f1, loss) in enumerate([(0.8, 0.5), (0.9, 0.6), (0.9, 0.4)]):
        point = {"model": f"resnet{number}", "epochs": 5, "learning_rate": 0.01, "valid_macro_f1": f1}
        paths.append(tmp_path / f"{number}.json")
        point |= {"valid_doubts": doubts, "valid_loss": loss, "best_epoch": 4, "seconds": 1.0}
        paths[-1].write_text(json.dumps(point))
    table = sweep_table(paths)
    assert table["model"].tolist() == ["resnet2", "resnet1", "resnet0"]
    write_sweep(table, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"sweep.{e}" for e in ("csv", "md", "tex", "png")}
    told = (tmp_path / "out" / "sweep.md").read_text()
    assert "**resnet2**" in told
    assert ("valid cannot choose: valid has 2 runs or more of no class" in told) == bool(doubts)


@pytest.mark.parametrize("content", ["{", "[]", '{"model": "resnet18"}'])
def test_a_file_that_is_no_point_is_named(tmp_path, content):
    path = tmp_path / "point.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"point\.json"):
        sweep_table([path])
