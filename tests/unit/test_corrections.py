"""Labels that a person corrected: the file, what a split makes of it, and that every reader of labels sees them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from blobs import write_blobs
from hypothesis import given
from hypothesis import strategies as st
from manifests import CLASSES, even_dataset, frames_of, manifest_of, run_frames

from weldbench.config.data import Split
from weldbench.data.dataset import open_dataset, read_split
from weldbench.errors import InputError
from weldbench.splitting.corrections import Correction, read_corrections, write_corrections
from weldbench.splitting.split import split_dataset
from weldbench.training.balance import training_list

ROOT = Path(__file__).resolve().parents[2]
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1, max_size=12)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "corrections").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def divided(manifest: pd.DataFrame, lines: list[Correction], **changes: object) -> tuple[pd.DataFrame, dict]:
    write_corrections(Path("corrections/mine.csv"), lines)
    settings = Split(corrections="corrections/mine.csv", **changes)
    table, audit = split_dataset(manifest, frames_of(manifest), CLASSES, settings, 0)
    json.dumps(audit, allow_nan=False)
    return table, audit


def published() -> pd.DataFrame:
    return manifest_of(
        frame
        for split in ("train", "valid", "test")
        for label in CLASSES
        for run in range(2)
        for frame in run_frames(f"{label} {split} {run}", label, split, 3)
    )


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), unique_by=lambda each: each[:2]))
def test_what_is_written_is_read_again_whatever_the_names(tmp_path_factory, found) -> None:
    path = tmp_path_factory.mktemp("corrections") / "mine.csv"
    lines = [Correction(frame, given, "keep" if given == new else "correct", new) for frame, given, new in found] + [
        Correction('dropped \n, "frame"', "none of them, surely", "drop", "")
    ]
    write_corrections(path, lines)
    assert read_corrections(path) == lines


def test_labels_are_corrected_and_frames_dropped_and_the_audit_counts_both(folder: Path) -> None:
    manifest = published()
    right, drop = "good_weld train 0/image-0001.png", "contamination test 1/image-0000.png"
    other, kept = "burn_through test 0/image-0002.png", "good_weld valid 0/image-0000.png"
    table, audit = divided(
        manifest,
        [
            Correction(right, "good_weld", "correct", "burn_through"),
            Correction(other, "burn_through", "correct", "good_weld"),
            Correction(drop, "contamination", "drop", ""),
            Correction(kept, "good_weld", "keep", "good_weld"),
        ],
    )
    merged = table.merge(manifest, on="row", suffixes=("", "_given"))
    assert drop not in set(merged["path"])
    assert len(merged) == len(manifest) - 1
    changed = merged[merged["label"] != ""].set_index("path")["label"].to_dict()
    assert changed == {right: "burn_through", other: "good_weld"}
    assert audit["corrections"] == {
        "file": "corrections/mine.csv",
        "frames": {
            "train": {"good_weld -> burn_through": 1},
            "test": {"burn_through -> good_weld": 1, "contamination, dropped": 1},
        },
    }
    assert audit["after"]["train"] == {"good_weld": 5, "burn_through": 7, "contamination": 6}
    assert audit["after"]["test"] == {"good_weld": 7, "burn_through": 5, "contamination": 5}
    notes = " ".join(audit["notes"])
    assert "Labels of train corrected by corrections/mine.csv: good_weld -> burn_through (1 frame)." in notes
    assert "not comparable with those on the labels as given" in notes


def test_without_corrections_nothing_is_said_and_the_table_is_as_ever() -> None:
    manifest = published()
    table, audit = split_dataset(manifest, frames_of(manifest), CLASSES, Split(), 0)
    assert list(table) == ["row", "split"]
    assert "corrections" not in audit
    assert not any("corrected" in note for note in audit["notes"])


def test_a_split_by_runs_is_made_of_the_corrected_labels(folder: Path) -> None:
    # Of contamination a single run is left, which no longer fills train and test.
    manifest = even_dataset(2)
    paths = manifest.loc[manifest["run"] == "contamination 1", "path"]
    lines = [Correction(path, "contamination", "correct", "good_weld") for path in paths]
    with pytest.raises(InputError, match="contamination has 1"):
        divided(manifest, lines, strategy="grouped", fold_count=3)


def test_a_class_that_corrections_empty_is_named(folder: Path) -> None:
    manifest = published()
    paths = manifest.loc[(manifest["label"] == "contamination") & (manifest["published_split"] == "train"), "path"]
    with pytest.raises(InputError, match="train holds no frame of contamination"):
        divided(manifest, [Correction(path, "contamination", "drop", "") for path in paths])


def test_a_frame_that_two_splits_share_is_corrected_in_both(folder: Path) -> None:
    frames = [
        frame
        for split in ("train", "test")
        for label in CLASSES
        for frame in run_frames(f"{label} {split}", label, split, 3)
    ]
    shared = [frame for split in ("valid", "test") for frame in run_frames("shared", "good_weld", split, 2)]
    manifest = manifest_of([*frames, *shared, *run_frames("bad valid", "burn_through", "valid", 2)])
    line = Correction("shared/image-0000.png", "good_weld", "correct", "burn_through")
    table, audit = divided(manifest, [line], on_leak="warn")
    assert audit["corrections"]["frames"] == {
        "valid": {"good_weld -> burn_through": 1},
        "test": {"good_weld -> burn_through": 1},
    }
    assert (table["label"] == "burn_through").sum() == 2


FRAME = "good_weld train 0/image-0001.png"
HEAD = "path,given,action,corrected\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line has to be `path,given,action,corrected`"),
        ("path,corrected\na,b\n", "first line has to be"),
        (f"{HEAD}nowhere.png,good_weld,drop,\n", "1 frame of it is not in this dataset: nowhere.png"),
        (f"{HEAD}{FRAME},burn_through,drop,\n", f"changed after the review: {FRAME} was burn_through and is good_weld"),
        (f"{HEAD}{FRAME},good_weld,correct,rust\n", "there is no class rust; the classes are good_weld, burn_through"),
        (f"{HEAD}{FRAME},good_weld,drop,\n{FRAME},good_weld,drop,\n", "line 3: .* is corrected in line 2 already"),
        (f"{HEAD}{FRAME},good_weld,delete,\n", "line 2: there is no action 'delete'; it is keep, correct or drop"),
        (f"{HEAD}{FRAME},good_weld,correct,\n", "line 2: its corrected label is empty or the given one"),
        (f"{HEAD}{FRAME},good_weld,correct,good_weld\n", "line 2: its corrected label is empty or the given one"),
        (f"{HEAD}{FRAME},good_weld,keep,\n", "line 2: the label is kept"),
        (f"{HEAD}{FRAME},good_weld,drop,good_weld\n", "line 2: a dropped frame has no corrected label"),
        (f"{HEAD}{FRAME},good_weld\n", "line 2: it has 2 cells, not 4"),
        (f'{HEAD}"{FRAME},good_weld,drop,\n', "no table of corrections"),
    ],
)
def test_corrections_that_do_not_fit_are_one_clear_error(folder: Path, text: str, message: str) -> None:
    manifest = published()
    Path("corrections/mine.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        split_dataset(manifest, frames_of(manifest), CLASSES, Split(corrections="corrections/mine.csv"), 0)


def test_a_missing_file_is_an_error_that_says_what_writes_it(folder: Path) -> None:
    with pytest.raises(InputError, match="there is no such file; `weldbench review` writes it"):
        split_dataset(published(), frames_of(published()), CLASSES, Split(corrections="corrections/mine.csv"), 0)


@pytest.mark.parametrize("path", ["mine.csv", "/etc/passwd", "corrections/../params.csv", "corrections/mine.txt"])
def test_corrections_lie_where_both_engines_watch_them(path: str) -> None:
    with pytest.raises(ValueError, match="corrections lie in the folder corrections"):
        Split(corrections=path)


@pytest.fixture
def corrected(tmp_path: Path) -> tuple[Path, int]:
    """Blobs whose split says that one frame of train, and one of test, are of another class."""
    split = write_blobs(tmp_path, (12, 6, 6))
    table = read_split(split)
    labels = pd.Series("", index=table.index)
    labels[[0, table.index[table["split"] == "test"][0]]] = "contamination"
    table.assign(label=labels).to_csv(split, index=False)
    return split, int(table["row"].iloc[0])


def test_whoever_opens_a_dataset_with_its_split_sees_the_corrected_labels(corrected: tuple[Path, int]) -> None:
    split, row = corrected
    dataset = open_dataset(split.parents[2], split)
    assert dataset.manifest.at[row, "label"] == "contamination"
    assert dataset.manifest.at[row, "given_label"] == "good_weld"
    train = dataset.load_split(read_split(split), "train", 32)
    assert train.labels[train.rows == row].tolist() == [2]
    learned = training_list(dataset.manifest, read_split(split), "undersample", 2, 0, 0)
    assert sorted(dataset.manifest["label"][learned["row"]].value_counts()) == [2, 2, 2]


def test_who_opens_it_without_is_refused_and_never_sees_the_old_labels(corrected: tuple[Path, int]) -> None:
    split, _ = corrected
    with pytest.raises(ValueError, match="open the dataset with this split"):
        open_dataset(split.parents[2]).load_split(read_split(split), "train", 32)


def test_training_and_scores_go_by_the_corrected_labels(folder: Path) -> None:
    """Through the stages themselves: split, train, evaluate, each a process of its own."""
    from blobs import write_params

    data = folder / "data/blobs"
    write_blobs(data, (48, 18, 18))
    manifest = pd.read_csv(data / "manifest.csv")
    lines = manifest[manifest["published_split"] == "test"].head(3)
    corrections = [
        Correction(path, label, "correct", next(name for name in CLASSES if name != label))
        for path, label in zip(lines["path"], lines["label"], strict=True)
    ]
    write_corrections(Path("corrections/blobs.csv"), corrections)
    params = yaml.safe_load(write_params(folder).read_text())
    params["split"]["corrections"] = "corrections/blobs.csv"
    (folder / "params.yaml").write_text(yaml.safe_dump(params))

    def run(script: str, *arguments: str) -> None:
        subprocess.run([sys.executable, ROOT / "scripts" / script, *arguments], check=True)

    split, trained = "data/blobs/split/fold0", "models/blobs/full_con6/fold0/seed0"
    run("split.py", "--dataset", "blobs", "--data", "data/blobs", "--output", split)
    where = ["--data", "data/blobs", "--split", f"{split}/split.csv"]
    run("train.py", "--dataset", "blobs", "--model", "full_con6", "--seed", "0", *where, "--output", trained)
    run("evaluate.py", *where, "--trained", f"{trained}/model.safetensors", "--output", "results/one")
    predictions = pd.read_csv("results/one/predictions.csv").set_index("row")
    expected = [each.corrected for each in corrections]
    assert predictions.loc[lines["row"], "label"].tolist() == expected
    rest = manifest[(manifest["published_split"] == "test")].iloc[3:]
    assert predictions.loc[rest["row"], "label"].tolist() == rest["label"].tolist()
    made_from = json.loads(Path(f"{split}/audit.json").read_text())["made_from"]
    assert made_from["settings"]["split"]["corrections"] == "corrections/blobs.csv"
    assert len(made_from["inputs"]["corrections.csv"]) == 64


def test_the_labels_of_a_row_that_is_used_in_any_fold_hold(tmp_path: Path) -> None:
    split = write_blobs(tmp_path, (12, 6, 6))
    table = read_split(split)
    halves = [table.assign(label=np.where(table["row"] == row, "contamination", "")) for row in (0, 1)]
    paths = [tmp_path / f"fold{number}.csv" for number in (0, 1)]
    for path, half in zip(paths, halves, strict=True):
        half[half["row"].isin([0, 1, 2]) | (half["split"] != "train")].to_csv(path, index=False)
    labels = open_dataset(tmp_path, *paths).manifest["label"]
    assert labels[[0, 1]].tolist() == ["contamination", "contamination"]
