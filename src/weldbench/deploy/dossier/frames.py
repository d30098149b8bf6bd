"""The frames behind a model: where they come from, how they were split and audited, and which welds they show."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from weldbench.config.base import SPLITS, SplitName
from weldbench.config.data import KaggleDataset, LocalDataset, SimulatedDataset
from weldbench.deploy.dossier.recorded import Recorded
from weldbench.deploy.dossier.text import UNKNOWN, Section, bullets, listed, plain, table
from weldbench.runtime.text import counted

_PUBLISHED = {
    "SS304": "TIG welds of stainless steel 304 (Bacioiu, Melton, Papaelias and Shaw 2019, NDT & E International 107)",
    "Al5083": "TIG welds of aluminum 5083, published by the authors of SS304",
}
# The process facts of inventory.json that a run's name may tell: what each is, and its unit.
PROCESS_FACTS = {
    "current_a": ("welding current", "A"),
    "voltage_v": ("voltage", "V"),
    "travel_speed_cm_per_min": ("travel speed", "cm/min"),
    "travel_speed_level": ("level of travel speed on the tractor", ""),
    "gas_flow_l_per_min": ("flow of shielding gas", "L/min"),
    "plate_mm": ("plate thickness", "mm"),
    "lens_mm": ("lens", "mm"),
}
_RECORDED = "recorded"
_NEVER_SAID = (
    "the make of the camera, where it stands and its frame rate; light; alloy, joint, filler and gas; the machine; "
    "the welder; by what rule and by whom the frames were labeled"
)
_VALUES_NAMED = 8
_RUNS_LISTED = 400


def origin(recorded: Recorded) -> Section:
    """Return the section on where the frames come from."""
    inventory, rejected = recorded.inventory, len(recorded.inventory["rejected"])
    left_out = f"left out: {counted(rejected, 'file')}" if rejected else "nothing was left out"
    return Section(
        "The data",
        "2 (d)",
        [
            _source(recorded),
            f"Ingested: {counted(inventory['frames'], 'frame')} of {counted(len(inventory['runs']), 'run')}, gray, "
            f"scaled to {inventory['frame_width_px']} x {inventory['frame_height_px']} pixels; "
            f"{left_out}. A run is one recorded weld; its frames are near copies of each other.",
            _labels(recorded),
            *([bullets(map(plain, inventory["notes"]))] if inventory["notes"] else []),
        ],
    )


def _source(recorded: Recorded) -> str:
    settings = recorded.settings
    published = f" By its publishers: {_PUBLISHED[recorded.public]}." if recorded.public else ""
    match settings:
        case SimulatedDataset():
            return (
                f"Simulated by weldbench (`weldsim`, seed {settings.seed}): **no camera took these frames, and no weld "
                "was made.** Every number here compares methods. None of them says how the model does on real welds."
            )
        case KaggleDataset():
            version = f"version {settings.version}" if settings.version else "the newest version at the time"
            return f"Downloaded from Kaggle: {plain(settings.handle)}, {version}.{published}"
        case LocalDataset():
            said = published or " What it shows and who recorded it, only its owner can say."
            return f"Given by the user: {plain(settings.path)}.{said}"
    raise AssertionError(settings)


def _labels(recorded: Recorded) -> str:
    if corrected := recorded.audit.get("corrections"):
        return f"Labels: corrected by a person; {plain(corrected['file'])} holds each decision."
    if recorded.is_simulated:
        return "Labels: right by construction."
    return "Labels: as given; no correction is applied. Who gave them, and by what rule, the data does not say."


def splits(recorded: Recorded, training: Mapping[str, Any]) -> Section:
    """Return the section on splits and their audit."""
    audit, learned = recorded.audit, training.get("learned_from", {})
    rows = [
        [
            name,
            *(_frames_of_runs(audit["after"][split][name], audit["runs_per_class"][split][name]) for split in SPLITS),
        ]
        + ([_frames_of_runs(learned[name]["frames"], learned[name]["runs"])] if name in learned else [])
        for name in recorded.inventory["classes"]
    ]
    header = ["class", "train", "valid", "test", *(["the model learned from"] if learned else [])]
    return Section(
        "Splits and their audit",
        "2 (d), 2 (g)",
        [
            f"{_STRATEGIES[audit['strategy']]} Train teaches; valid chooses weights, thresholds and the limit of what "
            "is unknown; test chose nothing, and every result is of test.",
            table("Frames (and runs) of each class", header, rows),
            table("What the audit looked for between splits", ["what", "found", "done about it"], _found(audit)),
            *([bullets(map(plain, audit["notes"]))] if audit["notes"] else []),
        ],
    )


_STRATEGIES = {
    "published": "The splits are those of the data itself.",
    "grouped": "The splits were made by whole runs: no run stands in two.",
    "random": (
        "**The splits were made by single frames, so near copies of train are in test: every score is too high, and "
        "nothing below may be relied on.**"
    ),
}


def _frames_of_runs(frames: int, runs: int) -> str:
    return f"{frames:,} ({runs:,})"


def _found(audit: Mapping[str, Any]) -> Iterator[list[object]]:
    leaks, dropped = audit["leaks"], sum(sum(counts.values()) for counts in audit["dropped"].values())
    of_all = f"{dropped:,} frames dropped in all" if dropped else "nothing dropped"
    yield ["runs in two splits", leaks["shared_runs"]["runs"], of_all]
    yield ["pairs of identical frames", leaks["identical_frames"]["pairs"], "as above"]
    yield [
        "pairs of frames that look alike, of different runs",
        leaks["near_identical_frames"]["pairs"],
        "nothing: runs may look alike by chance",
    ]
    yield [
        "recordings of which two splits hold parts, by their names",
        audit["probably_one_recording"]["recordings"],
        "nothing: names may mislead",
    ]


def seen(recorded: Recorded) -> Section:
    """Return the section on the welds, currents, plates and cameras that the model has seen: the limits of its use."""
    facts = pd.DataFrame.from_dict(recorded.inventory["runs"], orient="index")
    runs = {split: recorded.runs(split) for split in SPLITS}
    told = [fact for fact in PROCESS_FACTS if fact in facts]
    absent = [PROCESS_FACTS[fact][0] for fact in PROCESS_FACTS if fact not in facts]
    rows = [[PROCESS_FACTS[fact][0], *(_values(facts, fact, runs[split]) for split in SPLITS)] for fact in told]
    if _RECORDED in facts:
        rows.append(["day of recording", *(_days(facts, runs[split]) for split in SPLITS)])
    rows.append(["size of a frame as filmed", *(_sizes(recorded.used, split) for split in SPLITS)])
    beyond = list(_beyond(facts, told, runs))
    return Section(
        "What it has seen: the limits of its use",
        "3, 2 (d)",
        [
            "Outside of this nothing is known about the model. "
            + ("These are the facts of a simulation. " if recorded.is_simulated else "")
            + "The facts stand in the names of the runs; how many of them say each is told in brackets.",
            table("Welds of each split", ["", *SPLITS], rows),
            *(beyond or (["No value of test lies outside the range of train."] if told else [])),
            *([f"{listed(absent).capitalize()}: {UNKNOWN}."] if absent else []),
            f"No file says: {_NEVER_SAID}. Write it down before use: the promises hold for the same alone.",
            *_runs(recorded),
        ],
    )


def _values(facts: pd.DataFrame, fact: str, runs: list[str]) -> str:
    known, unit = facts[fact].reindex(runs).dropna(), PROCESS_FACTS[fact][1]
    if known.empty:
        return f"{UNKNOWN} (0 of {len(runs):,})"
    values = sorted(known.unique())
    named = ", ".join(f"{value:g}" for value in values)
    shown = named if len(values) <= _VALUES_NAMED else f"{values[0]:g} to {values[-1]:g}"
    return f"{shown} {unit}".strip() + f" ({len(known):,} of {len(runs):,})"


def _days(facts: pd.DataFrame, runs: list[str]) -> str:
    known = facts[_RECORDED].reindex(runs).dropna()
    if known.empty:
        return f"{UNKNOWN} (0 of {len(runs):,})"
    first, last = known.min()[:10], known.max()[:10]
    return (first if first == last else f"{first} to {last}") + f" ({len(known):,} of {len(runs):,})"


def _sizes(used: pd.DataFrame, split: str) -> str:
    sizes = used.loc[used["split"] == split].groupby(["width_px", "height_px"]).size()
    named = [f"{width} x {height}" for width, height in sizes.sort_values(ascending=False).index]
    more = f" and {len(named) - _VALUES_NAMED} more" if len(named) > _VALUES_NAMED else ""
    return f"{', '.join(named[:_VALUES_NAMED])}{more} pixels"


def _beyond(facts: pd.DataFrame, told: Sequence[str], runs: Mapping[SplitName, list[str]]) -> Iterator[str]:
    for fact in told:
        train, test = facts[fact].reindex(runs["train"]).dropna(), facts[fact].reindex(runs["test"]).dropna()
        name, unit = PROCESS_FACTS[fact]
        if len(outside := test[~test.between(train.min(), train.max())]):
            values = ", ".join(f"{value:g}" for value in sorted(outside.unique()))
            yield (
                f"Test goes beyond what train says of {name}: {values} {unit}".rstrip()
                + f" ({counted(len(outside), 'run')}); its results hold such welds too."
            )


def _runs(recorded: Recorded) -> Iterator[str]:
    of_runs = recorded.used.groupby(["split", "run"], sort=False)["label"].agg([_shown, "size"]).reset_index()
    if len(of_runs) > _RUNS_LISTED:
        yield f"The {len(of_runs):,} runs are too many to list here; manifest.csv and split.csv do."
        return
    yield table(
        f"All {len(of_runs)} runs",
        ["run", "split", "frames", "shows"],
        of_runs[["run", "split", "size", "_shown"]].to_numpy().tolist(),
    )


def _shown(labels: pd.Series) -> str:
    return ", ".join(dict.fromkeys(labels))
