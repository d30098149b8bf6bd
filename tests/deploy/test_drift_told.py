"""Where predict, watch and serve say that the camera or the process has changed."""

import sqlite3
from pathlib import Path

import httpx
from deploy.serving import PATIENCE_SECONDS, serving
from deploy.test_predict import predict
from deploy.tiny_export import MIDDLE, png, save_tiny_export

from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.judge import Judge
from weldbench.deploy.watch_arrivals import Arrivals
from weldbench.deploy.watch_frame import FrameTaker
from weldbench.deploy.watch_look import stamp_of
from weldbench.deploy.watch_record import Record

CHANGED = "the camera or the process has changed since weld 7 of "
DIM = MIDDLE - 8  # still a good weld


def welds(folder: Path, levels: list[int]) -> list[Path]:
    """Write films of five frames, each of its own gray level."""
    paths = []
    for weld, level in enumerate(levels):
        (folder / f"weld{weld:02d}").mkdir(parents=True)
        paths += [png(folder / f"weld{weld:02d}/{n}.png", level, seed=10 * weld + n) for n in range(5)]
    return paths


def test_predict_says_it_once_and_sums_up_at_the_end(tmp_path: Path) -> None:
    export = save_tiny_export(tmp_path / "export", drift=True)
    welds(tmp_path / "frames", [MIDDLE] * 6 + [DIM] * 8)
    said = predict(export, tmp_path / "frames", "--output", tmp_path / "rows.csv").stderr.splitlines()
    assert len([line for line in said if line.startswith(CHANGED)]) == 1
    assert said[-1].startswith(f"drift check: 14 welds compared with training; {CHANGED}")
    welds(tmp_path / "same", [MIDDLE] * 6)
    said = predict(export, tmp_path / "same", "--output", tmp_path / "rows.csv").stderr.splitlines()
    assert said[-1] == "drift check: 6 welds compared with training; no change found"


def test_an_export_without_a_check_says_why(tmp_path: Path) -> None:
    export = save_tiny_export(tmp_path / "export")
    said = predict(export, png(tmp_path / "f.png", MIDDLE), "--output", tmp_path / "rows.csv").stderr
    assert said.splitlines()[-1] == "no drift check: there are 3 runs"


def test_watch_records_it_and_goes_on_where_it_stopped(tmp_path: Path, capsys) -> None:
    bundle = load_bundle(save_tiny_export(tmp_path / "export", drift=True))
    judge = Judge.of(bundle, Rule(bundle), "onnxruntime")
    folder, facts = tmp_path / "frames", {"model": bundle.model, "lineage": dict(bundle.lineage)}
    paths = welds(folder, [MIDDLE] * 6 + [DIM] * 8)
    for start in range(0, len(paths), 7):  # a new start within a weld, again and again
        with Record.opened(tmp_path / "r.sqlite", folder, facts) as record:
            taker, arrivals = FrameTaker(folder, judge, record, None), Arrivals(folder, {}, None, 10.0)
            for path in paths[start : start + 7]:
                stamp = stamp_of(path)
                assert stamp is not None
                taker.take(str(path.relative_to(folder)), stamp, arrivals)
            arrivals.close()
    with sqlite3.connect(tmp_path / "r.sqlite") as database:
        rows = database.execute("SELECT run, told FROM changes JOIN decisions USING (frame)").fetchall()
    (row,) = rows
    assert row[0] in {"weld08", "weld09", "weld10"}  # the first frame of the next weld ends one
    assert row[1].startswith(CHANGED)
    assert capsys.readouterr().err.count(CHANGED) == 1


def test_serve_says_it_in_the_batch_the_metrics_and_the_model(tmp_path: Path) -> None:
    export = save_tiny_export(tmp_path / "export", drift=True)
    paths = welds(tmp_path / "frames", [MIDDLE] * 6 + [DIM] * 6)
    with serving(export) as running, httpx.Client(base_url=running.url, timeout=PATIENCE_SECONDS) as client:
        assert client.get("/v1/model").json()["drift"].endswith("no change found")
        told = []
        for start in range(0, len(paths), 5):
            files = [("frames", (path.name, path.read_bytes())) for path in paths[start : start + 5]]
            told.append(client.post("/v1/predict/batch", files=files).json()["drift"])
        client.post("/v1/predict", content=paths[0].read_bytes())  # counts for nothing
        model, counted = client.get("/v1/model").json(), client.get("/metrics").text
    (sentence,) = [one for one in told if one]
    assert sentence.startswith(CHANGED)
    assert not any(told[:6])
    assert model["drift_changed"] is True
    assert sentence in model["drift"]
    assert "weldbench_drift_welds 12.0" in counted
    assert "weldbench_drift_changed 1.0" in counted
