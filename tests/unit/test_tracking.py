import csv
import sys

import pytest

from weldbench.errors import InputError
from weldbench.training.history import Epoch
from weldbench.training.tracking import tracker

LINES = [Epoch(1, 24, 192, 0.01, 1.1, 1.0, 0.4, 2.0, 96.0), Epoch(2, 48, 384, 0.005, 0.7, 0.6, 0.75, 2.0, 96.0)]


def test_dvclive_gets_a_line_per_epoch(tmp_path):
    with tracker("dvclive", tmp_path) as log:
        for line in LINES:
            log(line)
    with (tmp_path / "dvclive" / "plots" / "metrics" / "valid_macro_f1.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [(int(row["step"]), float(row["valid_macro_f1"])) for row in rows] == [(1, 0.4), (2, 0.75)]
    kept = {path.stem for path in (tmp_path / "dvclive" / "plots" / "metrics").rglob("*.tsv")}
    assert kept == {
        "step",
        "frames",
        "learning_rate",
        "loss",
        "valid_loss",
        "valid_macro_f1",
        "seconds",
        "frames_per_second",
    }


@pytest.mark.parametrize("name", ["dvclive", "tensorboard"])
def test_a_tracker_that_is_not_installed_is_one_message(name, tmp_path, monkeypatch):
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    for available in ("_TENSORBOARD_AVAILABLE", "_TENSORBOARDX_AVAILABLE"):
        monkeypatch.setattr(f"lightning_fabric.loggers.tensorboard.{available}", False)
    with pytest.raises(InputError, match=rf"pip install {name}"), tracker(name, tmp_path):
        pass


def test_what_a_training_lacks_is_not_taken_for_the_tracker(tmp_path):
    with pytest.raises(ModuleNotFoundError, match="triton"), tracker("none", tmp_path):
        raise ModuleNotFoundError("No module named 'triton'", name="triton")


def test_nothing_is_tracked_unless_asked_for(tmp_path):
    with tracker("none", tmp_path) as log:
        log(LINES[0])
    assert not list(tmp_path.iterdir())
