"""`weldbench predict` in processes of its own: rows, decisions, exit codes."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deploy.conftest import made_bundle
from deploy.tiny_export import CLASSES, DARK, MIDDLE, PROMISE, STRANGE, TEMPERATURE, png, save_tiny_export
from numpy.typing import NDArray
from PIL import Image

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.decision import Decision, Rule, Vote
from weldbench.deploy.runtimes import open_session

PREDICT = (Path(sys.executable).with_name("weldbench"), "predict")


def predict(*arguments: object, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*PREDICT, *map(str, arguments)], capture_output=True, text=True, input=stdin)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def folder(tmp_path: Path, frames: NDArray[np.uint8]) -> Path:
    """Two films: five frames, one of them damaged, and three."""
    for film, numbers in {"a": range(4), "b": range(4, 7)}.items():
        (tmp_path / "frames" / film).mkdir(parents=True)
        for number in numbers:
            Image.fromarray(frames[number]).save(tmp_path / "frames" / film / f"{number}.png")
    (tmp_path / "frames/a/2x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "frames"


@pytest.fixture
def between(bundle: Bundle, frames: NDArray[np.uint8], tmp_path: Path) -> Bundle:
    """An export whose threshold lies amid the scores of the frames."""
    scores = 1 - open_session(bundle, "onnxruntime").run(frames).probabilities[:, 0].astype(float)
    assert np.unique(scores).size == 7
    return made_bundle(tmp_path / "export", threshold=float(np.sort(scores)[3]))


def test_rows_are_what_a_session_and_the_rule_say(
    between: Bundle, folder: Path, frames: NDArray[np.uint8], tmp_path: Path
) -> None:
    output = tmp_path / "rows.csv"
    done = predict(between.folder, folder, "--output", output, "--runtime", "onnxruntime")
    with output.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["source"]).name, row["frame"]) for row in rows] == [
        ("a", "0.png"),
        ("a", "1.png"),
        ("a", "2.png"),
        ("a", "2x.png"),
        ("a", "3.png"),
        ("b", "4.png"),
        ("b", "5.png"),
        ("b", "6.png"),
    ]
    bad = rows.pop(3)
    assert "damaged" in bad["error"]
    assert {bad[key] for key in ("class", "decision", "vote", "p_good_weld", "seconds")} == {""}
    said = open_session(between, "onnxruntime").run(frames).probabilities
    decisions = Rule(between).decide(said)
    assert set(decisions) == {True, False}
    votes = {"a": Vote(3), "b": Vote(3)}
    for row, probabilities, is_defect in zip(rows, said, decisions, strict=True):
        assert row["error"] == ""
        assert row["class"] == between.classes[probabilities.argmax()]
        np.testing.assert_allclose([float(row[f"p_{name}"]) for name in between.classes], probabilities, atol=1e-6)
        assert row["decision"] == ("defect" if is_defect else "good")
        assert row["vote"] == votes[Path(row["source"]).name].add(Decision.of(is_defect, False))
    assert "8 frames, 1 of them not readable" in done.stderr


def test_json_lines_hold_the_same(between: Bundle, folder: Path, tmp_path: Path) -> None:
    printed = predict(between.folder, folder, "--format", "jsonl").stdout.splitlines()
    predict(between.folder, folder, "--output", tmp_path / "rows.jsonl")
    assert (tmp_path / "rows.jsonl").read_text().splitlines() == printed
    rows = [json.loads(line) for line in printed]
    assert len(rows) == 8
    assert rows[3]["decision"] is None
    assert {type(rows[0][f"p_{name}"]) for name in between.classes} == {float}


def test_the_exit_code_says_whether_there_was_a_defect(tmp_path: Path, folder: Path) -> None:
    never = made_bundle(tmp_path / "never", threshold=1.0).folder
    always = made_bundle(tmp_path / "always", threshold=-1.0).folder
    predict(never, folder, "--fail-on-defect", code=0)
    predict(always, folder, code=0)
    predict(always, folder, "--fail-on-defect", code=3)


FILMS = {
    "seam": [MIDDLE] * 3 + [DARK] * 2,
    "sound": [MIDDLE] * 4,
    "lens": [STRANGE] * 3,
    "blink": [MIDDLE, STRANGE] * 2,
}


@pytest.fixture
def welds(tmp_path: Path) -> Path:
    """Four welds: burned through at its end, sound, seen through another lens, and sound but for strange frames."""
    for name, levels in FILMS.items():
        (tmp_path / "welds" / name).mkdir(parents=True)
        for number, level in enumerate(levels):
            png(tmp_path / "welds" / name / f"{number}.png", level, seed=number)
    return tmp_path / "welds"


def test_a_frame_like_none_that_was_learned_is_unknown_and_rejects(welds: Path, tmp_path: Path) -> None:
    export = save_tiny_export(tmp_path / "tiny", novelty=True)
    done = predict(export, welds / "blink", welds / "lens", "--output", tmp_path / "rows.csv")
    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert [row["decision"] for row in rows] == ["good", "unknown", "good", "unknown"] + ["unknown"] * 3
    assert [row["vote"] for row in rows] == ["good", "unknown", "good", "unknown"] + ["unknown"] * 3
    assert all((float(row["novelty"]) > 5) == (row["decision"] == "unknown") for row in rows)
    assert {row["class"] for row in rows} == {"good_weld"}
    assert "the vote said defect at 0, unknown at 5" in done.stderr
    assert "rejected: 2 of 2 welds" in done.stderr


@pytest.mark.parametrize(
    ("films", "code"), [(["sound"], 0), (["lens"], 4), (["sound", "lens"], 4), (["lens", "seam"], 3), (["seam"], 3)]
)
def test_unknown_has_an_exit_code_of_its_own(welds: Path, tmp_path: Path, films: list[str], code: int) -> None:
    export = save_tiny_export(tmp_path / "tiny", novelty=True)
    predict(export, *(welds / film for film in films), "--fail-on-defect", code=code)
    predict(export, *(welds / film for film in films))


def test_calibrated_probabilities_stand_beside_those_of_the_network(welds: Path, tmp_path: Path) -> None:
    row = next(csv.DictReader(predict(save_tiny_export(tmp_path / "tiny"), welds / "lens").stdout.splitlines()))
    said = np.array([float(row[f"p_{name}"]) for name in CLASSES])
    expected = said ** (1 / TEMPERATURE) / (said ** (1 / TEMPERATURE)).sum()
    np.testing.assert_allclose([float(row[f"calibrated_{name}"]) for name in CLASSES], expected, atol=1e-6)
    assert row["novelty"] == ""
    none = save_tiny_export(tmp_path / "none", temperature=None)
    row = next(csv.DictReader(predict(none, welds / "lens").stdout.splitlines()))
    assert {row[f"calibrated_{name}"] for name in CLASSES} == {""}


def test_a_row_for_each_weld_says_whether_it_is_rejected(welds: Path, tmp_path: Path) -> None:
    (welds / "sound/9.png").write_bytes(b"\x89PNG")
    (welds / "dead").mkdir()
    (welds / "dead/0.png").write_bytes(b"\x89PNG")
    export = save_tiny_export(tmp_path / "tiny", novelty=True)
    done = predict(export, welds, "--output", tmp_path / "rows.csv", "--welds", tmp_path / "welds.csv")
    rows = {Path(row["source"]).name: row for row in csv.DictReader((tmp_path / "welds.csv").read_text().splitlines())}
    told = {name: (row["weld"], row["vote"], row["first_rejected"]) for name, row in rows.items()}
    assert told == {
        "seam": ("rejected", "defect", "4.png"),
        "sound": ("passed", "", ""),
        "lens": ("rejected", "unknown", "0.png"),
        "blink": ("rejected", "unknown", "1.png"),
        "dead": ("", "", ""),
    }
    assert [rows["seam"][key] for key in ("frames", "unread", "good", "defect", "unknown")] == ["5", "0", "3", "2", "0"]
    assert "rejected: 3 of 5 welds" in done.stderr
    assert "not judged, as no frame of it can be read: 1 weld (" in done.stderr
    assert "passed, though a frame of it cannot be read: 1 weld (" in done.stderr
    same = predict(export, welds, "--output", tmp_path / "rows.csv", "--welds", tmp_path / "rows.csv", code=2)
    assert "--welds and --output name the same file" in same.stderr


def test_a_threshold_of_a_valid_that_cannot_choose_is_called_uncalibrated(welds: Path, tmp_path: Path) -> None:
    doubted = save_tiny_export(tmp_path / "tiny", valid_doubts=("valid has one run",), promises=(PROMISE,))
    told = "the threshold is uncalibrated, as valid has one run: it may reject quite another share of good frames"
    assert told in predict(doubted, welds / "seam").stderr
    assert told not in predict(doubted, welds / "seam", "--promise").stderr
    assert told not in predict(save_tiny_export(tmp_path / "sure"), welds / "seam").stderr


def test_a_promise_decides_and_is_said_with_its_conditions(welds: Path, tmp_path: Path) -> None:
    export = save_tiny_export(tmp_path / "tiny", promises=(PROMISE,))
    done = predict(export, welds / "seam", "--promise")
    assert "threshold 0.125000, vote over 3 frames" in done.stderr
    assert PROMISE.told in done.stderr
    assert "uncalibrated" not in done.stderr
    both = predict(export, welds / "seam", "--promise", "--false-rejects", "0.05", code=2)
    assert "not allowed with" in both.stderr
    none = predict(save_tiny_export(tmp_path / "none"), welds / "seam", "--promise", code=2)
    assert "promises nothing about escapes, as its test split held no defective weld" in none.stderr
    one = save_tiny_export(tmp_path / "one", promises=(replace(PROMISE, runtimes=("onnxruntime",)),))
    other = predict(one, welds / "seam", "--promise", "--runtime", "openvino", code=2)
    assert "add --runtime onnxruntime" in other.stderr


def test_a_list_on_standard_input(between: Bundle, folder: Path) -> None:
    lines = f"{folder}/b/4.png\n{folder}/b/none.png\n{folder}/b/6.png\n"
    rows = list(csv.DictReader(predict(between.folder, "-", stdin=lines).stdout.splitlines()))
    assert [row["frame"] for row in rows] == ["4.png", "none.png", "6.png"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{folder}/none"], "there is no such file or folder"),
        (["{folder}", "--false-rejects", "0.02"], "choose one of 0.01, 0.05"),
        (["{folder}", "--vote", "0"], "at least 1"),
        (["{folder}", "--threads", "0"], "at least 1"),
    ],
)
def test_bad_input_is_one_message_and_writes_nothing(
    bundle: Bundle, folder: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    given = [argument.format(folder=folder) for argument in arguments]
    done = predict(bundle.folder, *given, "--output", tmp_path / "rows.csv", code=2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "rows.csv").exists()


def test_an_export_that_is_none_is_told(tmp_path: Path, folder: Path) -> None:
    assert "name a folder that the stage export wrote" in predict(tmp_path, folder, code=2).stderr


def test_explain_writes_a_picture_of_each_defective_frame(between: Bundle, folder: Path, tmp_path: Path) -> None:
    predict(between.folder, folder, "--output", tmp_path / "rows.csv", "--explain", tmp_path / "why")
    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    defects = [row["frame"] for row in rows if row["decision"] == "defect"]
    pictures = sorted((tmp_path / "why").iterdir())
    assert len(pictures) == len(defects) > 0
    for name in defects:
        (path,) = (path for path in pictures if path.name.endswith(f"_{name}.png"))
        colors = np.asarray(Image.open(path))
        assert colors.shape == (30, 40, 3)
        assert (colors[..., 0] >= colors[..., 1]).all()
        assert (colors[..., 0] > colors[..., 1]).any()


def test_ctrl_c_leaves_a_complete_file_of_what_was_done(between: Bundle, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "rows.csv"
    process = subprocess.Popen(
        [*PREDICT, between.folder, "-", "--output", output],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(200):
        process.stdin.write(f"{folder}/b/4.png\n")
    process.stdin.flush()
    partial = tmp_path / ".rows.partial.csv"
    while process.poll() is None and not (partial.exists() and partial.stat().st_size > 1000):
        time.sleep(0.05)
    for _ in range(15):  # Python may lose one, within a callback; a person presses again
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)  # before its list ends; a busy machine is slow
            break
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 130, stderr
    assert "interrupted after" in stderr
    rows = list(csv.DictReader(output.read_text().splitlines()))
    assert 10 < len(rows) <= 200
    assert all(row["decision"] for row in rows)
    assert output.read_text().endswith("\n")
    assert not partial.exists()


def test_the_first_decision_needs_neither_torch_nor_an_engine(between: Bundle, folder: Path) -> None:
    code = (
        "import sys; from weldbench.cli import main\n"
        f"sys.argv = ['weldbench', 'predict', {str(between.folder)!r}, {str(folder)!r}]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    loaded = done.stderr.splitlines()[-1]
    assert "'onnxruntime'" in loaded
    for heavy in ("torch", "torchvision", "snakemake", "dvc", "pandas", "pydantic", "scipy", "onnx", "matplotlib"):
        assert f"'{heavy}'" not in loaded
