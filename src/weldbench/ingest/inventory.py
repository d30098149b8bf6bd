"""What an archive holds, counted: the content of inventory.json."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from weldbench.config.base import SPLITS
from weldbench.data.run_name import process_facts
from weldbench.ingest.layout import Layout
from weldbench.runtime.text import counted, some

_UNNAMED = ""  # the split of frames that the data give none


def inventory(
    name: str, layout: Layout, manifest: pd.DataFrame, conversions: Mapping[str, int], frame_size_px: int
) -> dict[str, Any]:
    """Describe a dataset after ingest.

    Args:
        name: Of the dataset.
        layout: What the archive lists, with all that was found bad.
        manifest: The frames that were kept.
        conversions: What was done to make frames gray -> how many; an empty string stands for nothing.
        frame_size_px: Height and width of a stored frame.

    Returns:
        The content of inventory.json (docs/design.md); the key of a split that the data does not name is "".
    """
    counts = count_by_split(manifest["published_split"], manifest["label"], layout.classes)
    rejected = [{"path": member, "reason": reason} for member, reason in sorted(layout.bad.items())]
    rejected += [{"path": member, "reason": "no JSON file lists it"} for member in layout.unlisted]
    return {
        "dataset": name,
        "classes": layout.classes,
        "good_class": layout.good_class,
        "frame_height_px": frame_size_px,
        "frame_width_px": frame_size_px,
        "frames": len(manifest),
        "counts": counts,
        "runs": {run: process_facts(run) for run in sorted(manifest["run"].unique())},
        "rejected": rejected,
        "notes": [
            *layout.notes,
            *_notes_on_rejected(layout),
            *_notes_on_conversions(conversions),
            *_notes_on_empty_classes(counts),
            *_notes_on_contradictions(manifest),
        ],
    }


def count_by_split(splits: pd.Series, labels: pd.Series, classes: list[str]) -> dict[str, dict[str, int]]:
    """Count frames: split -> class -> frames, every class named, splits in the order train, valid, test, unnamed."""
    pairs = Counter(zip(splits, labels, strict=True))
    present = set(splits)
    return {
        split: {label: pairs[split, label] for label in classes} for split in (*SPLITS, _UNNAMED) if split in present
    }


def _notes_on_rejected(layout: Layout) -> list[str]:
    notes = []
    if layout.bad:
        notes.append(f"{counted(len(layout.bad), 'frame')} could not be used: {some(sorted(layout.bad))}.")
    if layout.unlisted:
        pictures = counted(len(layout.unlisted), "picture")
        notes.append(f"{pictures} stayed out, as no JSON file lists them: {some(layout.unlisted)}.")
    return notes


def _notes_on_conversions(conversions: Mapping[str, int]) -> list[str]:
    return [
        f"{counted(frames, 'frame')}: {conversion}." for conversion, frames in sorted(conversions.items()) if conversion
    ]


def _notes_on_empty_classes(counts: dict[str, dict[str, int]]) -> list[str]:
    return [
        f"The split {split} as published holds no frame of {label}." if split else f"There is no frame of {label}."
        for split, of_split in counts.items()
        for label, frames in of_split.items()
        if frames == 0
    ]


def _notes_on_contradictions(manifest: pd.DataFrame) -> list[str]:
    """Name frames whose bytes are the same and whose labels differ: one of the labels must be wrong."""
    labels = manifest.groupby("sha256")["label"].nunique()
    contradictory = manifest[manifest["sha256"].isin(labels[labels > 1].index)]
    if contradictory.empty:
        return []
    examples = some(contradictory.sort_values(["sha256", "path"])["path"].tolist())
    return [f"{len(contradictory)} frames have the same content as one with another label: {examples}."]
