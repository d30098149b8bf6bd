import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests import CLASSES, even_dataset, frames_of, manifest_of, run_frames

from weldbench.config.data import SS304_CLASSES, Split
from weldbench.errors import InputError
from weldbench.splitting.split import split_dataset

ROOT = Path(__file__).resolve().parents[2]
SHARED = "160707-111307-50mmLens 200A w.s.11.5cm.m + no shielding gas"


def divided(
    manifest: pd.DataFrame, classes: list[str] = CLASSES, fold: int = 0, **changes: object
) -> tuple[pd.DataFrame, dict]:
    table, audit = split_dataset(manifest, frames_of(manifest), classes, Split(**changes), fold)
    json.dumps(audit, allow_nan=False)  # all of it can be written
    return table.merge(manifest, on="row", validate="many_to_one"), audit


def like_the_real_data() -> pd.DataFrame:
    """The names and the leak of the published SS304 split: one run, the same frames, in valid and in test."""
    frames = []
    for split in ("train", "valid", "test"):
        for label in SS304_CLASSES:
            if label != "lack_of_shielding_gas":
                frames += run_frames(f"160708-{label}-{split} 200A", label, split, 3)
    frames += run_frames("160707-111524-50mmLens 200A w.s.11.5cm.m + no shielding gas", SS304_CLASSES[4], "train", 4)
    frames += run_frames(SHARED, SS304_CLASSES[4], "valid", 5) + run_frames(SHARED, SS304_CLASSES[4], "test", 5)
    return manifest_of(frames)


def test_the_run_that_valid_and_test_share_is_found_and_dropped_from_valid() -> None:
    table, audit = divided(like_the_real_data(), SS304_CLASSES)
    assert audit["leaks"]["shared_runs"] == {
        "runs": 1,
        "frames": {"valid": 5, "test": 5},
        "listed": [{"run": SHARED, "frames": {"valid": 5, "test": 5}}],
    }
    assert audit["leaks"]["identical_frames"] == {
        "pairs": 5,
        "frames": {"valid": 5, "test": 5},
        "listed": [{"splits": ["valid", "test"], "runs": [SHARED, SHARED], "pairs": 5}],
    }
    assert audit["dropped"]["valid"]["lack_of_shielding_gas"] == 5
    assert sum(count for split in audit["dropped"].values() for count in split.values()) == 5
    assert set(table.loc[table["run"] == SHARED, "split"]) == {"test"}
    assert audit["before"]["valid"]["lack_of_shielding_gas"] == 5
    assert audit["after"]["valid"]["lack_of_shielding_gas"] == 0
    assert audit["after"]["test"] == audit["before"]["test"]
    assert any(
        note
        == "valid holds no frame of lack_of_shielding_gas: model selection averages over the classes that are present."
        for note in audit["notes"]
    )
    assert any(SHARED in note and "Dropped: 5 frames of valid;" in note for note in audit["notes"])


def test_a_leak_can_stop_the_split() -> None:
    with pytest.raises(InputError, match=r"the splits share 1 run \('160707.*5 pairs of identical frames.*to drop"):
        divided(like_the_real_data(), SS304_CLASSES, on_leak="fail")


def test_a_leak_can_be_recorded_only() -> None:
    manifest = like_the_real_data()
    table, audit = divided(manifest, SS304_CLASSES, on_leak="warn")
    assert table["split"].tolist() == manifest.set_index("row").loc[table["row"], "published_split"].tolist()
    assert audit["leaks"]["shared_runs"]["runs"] == 1
    assert any("Nothing was dropped" in note for note in audit["notes"])


def test_grouping_heals_the_leak() -> None:
    manifest = pd.concat([like_the_real_data(), even_dataset()], ignore_index=True)
    manifest = manifest[manifest["label"] != "high_travel_speed"].assign(row=lambda table: np.arange(len(table)))
    classes = sorted(set(manifest["label"]) - {"lack_of_shielding_gas"})
    manifest = manifest[manifest["label"].isin(classes)].assign(row=lambda table: np.arange(len(table)))
    _, audit = divided(manifest, classes, strategy="grouped", fold_count=3, on_leak="fail")
    assert audit["leaks"]["shared_runs"]["runs"] == 0


def test_random_is_not_repaired_but_told() -> None:
    _, audit = divided(even_dataset(2, 10), strategy="random", on_leak="drop")
    assert audit["leaks"]["shared_runs"]["runs"] == 6
    assert any("inflates" in note for note in audit["notes"])
    assert sum(count for split in audit["dropped"].values() for count in split.values()) == 0


def test_the_balance_of_train_is_no_matter_of_the_splits() -> None:
    manifest = even_dataset(4, 3)
    plain, audit = divided(manifest, strategy="grouped", fold_count=3, balance="none")
    for balance in ("undersample", "oversample", "class_weights"):
        table, same = divided(manifest, strategy="grouped", fold_count=3, balance=balance, cap=1)
        assert (table.equals(plain), same) == (True, audit)


@settings(max_examples=8, deadline=None)
@given(
    order=st.permutations(range(36)),
    strategy=st.sampled_from(["grouped", "random"]),
    fold=st.integers(0, 2),
)
def test_the_order_of_the_manifest_does_not_matter(order: list[int], strategy: str, fold: int) -> None:
    manifest = even_dataset(4, 3)
    shuffled = manifest.iloc[order].assign(row=np.arange(36))
    settings_ = {"strategy": strategy, "fold_count": 3}
    found = []
    for table in (manifest, shuffled):
        lines, audit = divided(table, fold=fold if strategy == "grouped" else 0, **settings_)
        found.append((sorted(zip(lines["path"], lines["split"], strict=True)), audit))
    assert found[0] == found[1]


@settings(max_examples=8, deadline=None)
@given(
    strategy=st.sampled_from(["grouped", "random"]),
    seed=st.integers(0, 99),
)
def test_each_frame_is_in_one_part(strategy: str, seed: int) -> None:
    table, _ = divided(even_dataset(4, 3), strategy=strategy, seed=seed, fold_count=3)
    assert table["row"].is_unique
    if strategy == "grouped":
        assert (table.groupby("run")["split"].nunique() == 1).all()


def test_a_class_that_train_lacks() -> None:
    frames = [frame for label in CLASSES[:2] for split in ("train", "valid", "test") for frame in run_frames(
        f"{label} {split}", label, split, 2)]  # fmt: skip
    frames += run_frames("last", CLASSES[2], "test", 2)
    with pytest.raises(InputError, match="train holds no frame of contamination, so no model can learn it"):
        divided(manifest_of(frames))


def test_a_class_that_test_lacks_is_noted() -> None:
    frames = [frame for label in CLASSES for split in ("train", "valid", "test") for frame in run_frames(
        f"{label} {split}", label, split, 2) if (label, split) != (CLASSES[1], "test")]  # fmt: skip
    _, audit = divided(manifest_of(frames))
    assert (
        "test holds no frame of burn_through: the scores average over the classes that are present." in audit["notes"]
    )


def test_a_part_that_loses_all_frames() -> None:
    frames = [frame for label in CLASSES for split in ("train", "valid", "test") for frame in run_frames(
        f"{label} {'test' if split == 'valid' else split}", label, split, 2)]  # fmt: skip
    with pytest.raises(InputError, match=r"no frame is left in valid; set split\.strategy to grouped"):
        divided(manifest_of(frames))


def test_a_folder_name_that_all_splits_share_is_named() -> None:
    frames = [frame for label in CLASSES for split in ("train", "valid", "test")
        for frame in run_frames("images", label, split, 2)]  # fmt: skip
    with pytest.raises(
        InputError, match=r"left in train; .*a folder name of its own.* share 1 run \('images'; .*test\)"
    ):
        divided(manifest_of(frames))


@pytest.mark.parametrize("lost", ["train", "valid"])
def test_a_split_that_loses_all_frames_is_filled_by_what_the_message_says(lost: str) -> None:
    """Every run of `lost` stands in test too, so that the rule against leaks leaves nothing of it."""
    frames = [frame for label in CLASSES for number in range(4) for split in ("train", "valid", "test")
        for frame in run_frames(f"{label} {number} {'test' if split == lost else split}", label, split, 2)]  # fmt: skip
    manifest = manifest_of(frames)
    for balance in ("undersample", "oversample", "class_weights", "none"):
        with pytest.raises(InputError, match=rf"left in {lost}; set .* grouped, or .*set .*on_leak to warn"):
            divided(manifest, balance=balance)
    for changes in ({"strategy": "grouped", "fold_count": 3}, {"on_leak": "warn"}):
        table, _ = divided(manifest, **changes)
        assert set(table["split"]) == {"train", "valid", "test"}


def test_the_advice_names_no_step_that_was_taken() -> None:
    manifest = manifest_of(
        [frame for label in CLASSES for number in range(3) for frame in run_frames(f"{label} {number}", label, "", 1)]
    )
    black = np.zeros((len(manifest), 8, 8), np.uint8)
    with pytest.raises(InputError, match="no frame is left in") as refusal:
        split_dataset(manifest, black, CLASSES, Split(strategy="grouped", fold_count=3), 0)
    assert "grouped" not in str(refusal.value)


def test_frames_that_look_like_copies_are_noted_and_kept() -> None:
    manifest = even_dataset(4, 3)
    frames = frames_of(manifest)
    clean, _ = split_dataset(manifest, frames, CLASSES, Split(strategy="grouped", fold_count=3), 0)
    in_test, in_train = (clean.loc[clean["split"] == split, "row"].iloc[0] for split in ("test", "train"))
    frames[in_train] = np.clip(frames[in_test].astype(int) + 1, 0, 255)
    table, audit = split_dataset(manifest, frames, CLASSES, Split(strategy="grouped", fold_count=3), 0)
    assert table.equals(clean)
    assert audit["leaks"]["near_identical_frames"]["frames"] == {"train": 1, "test": 1}
    assert any("look like copies" in note for note in audit["notes"])


def test_the_command(tmp_path: Path) -> None:
    manifest = like_the_real_data()
    np.save(tmp_path / "frames.npy", frames_of(manifest))
    manifest.to_csv(tmp_path / "manifest.csv", index=False)
    (tmp_path / "inventory.json").write_text(json.dumps({"classes": SS304_CLASSES}))
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    outputs = []
    for name in ("once", "again"):
        command = [
            sys.executable,
            str(ROOT / "scripts" / "split.py"),
            "--dataset",
            "ss304",
            "--data",
            ".",
            "--output",
            name,
        ]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert "split ss304: valid holds no frame of lack_of_shielding_gas" in ended.stderr
        outputs.append([(tmp_path / name / file).read_bytes() for file in ("split.csv", "audit.json")])
    assert outputs[0] == outputs[1]
    lines = outputs[0][0].decode().splitlines()
    assert lines[0] == "row,split"
    assert lines[1].split(",")[1:] == ["train"]
    assert json.loads(outputs[0][1])["dataset"] == "ss304"
