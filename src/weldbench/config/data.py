"""The sections about data: datasets, ingest, split."""

import codecs
import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from weldbench.config.base import OverridableSection, Section
from weldbench.errors import InputError

NO_GOOD_CLASS = "none"  # as `good_class`

SS304_CLASSES = [
    "good_weld",
    "burn_through",
    "contamination",
    "lack_of_fusion",
    "lack_of_shielding_gas",
    "high_travel_speed",
]

# The columns beside those of the classes in predictions.csv and split.csv, and a line of the tables.
RESERVED = ("split_id", "split", "row", "run", "label", "weight", "macro average")


def problem_with_classes(names: Sequence[str]) -> str | None:
    """Say what is wrong with the names of the classes, and what to do; None if nothing."""
    seen: dict[str, str] = {}
    for name in names:
        if not name.strip() or any(unicodedata.category(letter) == "Cc" for letter in name):
            return f"a class is named {name!r}; give it a name of visible characters"
        if name.strip().lower() in RESERVED:
            return (
                f"a class is named {name!r}, which is a column or a line of the tables; rename it, as in {name}_defect"
            )
        plain = _plain(name)
        if plain in seen:
            other = seen[plain]
            what = f"{name!r} stands there twice" if other == name else f"{other!r} and {name!r} are nearly one name"
            return f"of the classes, {what}; rename one, or put their frames together"
        seen[plain] = name
    return None


def _plain(name: str) -> str:
    """Reduce a name to what a person reads: no case, no form of Unicode, one kind of space."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return pattern


def _usable(classes: list[str]) -> list[str]:
    if problem := problem_with_classes(classes):
        raise ValueError(problem)
    return classes


def _an_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError("this is no encoding that Python knows, such as cp932, gb18030 or cp1252") from None


ClassNames = Annotated[list[str], Field(min_length=2), AfterValidator(_usable)]
Encoding = Annotated[str, AfterValidator(_an_encoding)]
Pattern = Annotated[str, AfterValidator(_compilable)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Dataset(Section):
    classes: ClassNames | None = Field(
        None,
        description="class names in the order of the labels 0, 1, ..., the first is good; none takes those of a public "
        "dataset or of SS304 for the published layout, else the folders' names, good* first",
    )
    good_class: str | None = Field(
        None,
        description="name of the class of good welds; `none` where every class is a defect; if absent, the first of "
        "`classes`, or the folder whose name begins with good",
    )
    name_encoding: Encoding | None = Field(
        None, description="of the names in a zip that are not in UTF-8; none guesses, and says so"
    )
    run_pattern: Pattern | None = Field(
        None, description="regular expression whose group `run` (or whole match) in a frame's path names its run"
    )


class SimulatedDataset(_Dataset):
    """Frames rendered by weldbench.weldsim."""

    source: Literal["simulated"]
    classes: ClassNames = Field(SS304_CLASSES, description="class names in the order of the labels 0, 1, ...")
    seed: int = 0
    width_px: PositiveInt = 320
    height_px: PositiveInt = 175
    train_frames: PositiveInt = 1200
    valid_frames: PositiveInt = 480
    test_frames: PositiveInt = 1100
    imbalance: float = Field(75, ge=1, description="good_weld frames per lack_of_shielding_gas frame in test")


class KaggleDataset(_Dataset):
    """An archive on Kaggle, by its handle `owner/name`."""

    source: Literal["kaggle"]
    handle: str = Field(pattern=r"^[\w-]+/[\w-]+$")
    version: PositiveInt | None = Field(None, description="version of the Kaggle dataset; none means the newest")
    sha256: Sha256 | None = Field(None, description="expected hash of the zip; none accepts any and records it")
    frames: PositiveInt | None = Field(None, description="expected number of frames; none accepts any")
    counts: dict[Literal["train", "valid", "test"], PositiveInt | dict[str, PositiveInt]] = Field(
        default_factory=dict, description="expected frames per split, or per split and class; what is absent may be any"
    )


class LocalDataset(_Dataset):
    """A folder or a zip on this machine."""

    source: Literal["local"]
    path: str
    sha256: Sha256 | None = Field(None, description="expected hash of the archive; none accepts any and records it")


Dataset = Annotated[SimulatedDataset | KaggleDataset | LocalDataset, Field(discriminator="source")]


def dataset_named(datasets: dict[str, Dataset], name: str) -> Dataset:
    """Return the entry of `datasets` with this name.

    Raises:
        InputError: There is none.
    """
    if name not in datasets:
        raise InputError(f"there is no dataset `{name}` in the section datasets, which has: {', '.join(datasets)}")
    return datasets[name]


class IngestOverride(Section):
    """What one dataset may change in ingest."""

    frame_size_px: PositiveInt


class Ingest(OverridableSection):
    """How frames leave the archive."""

    frame_size_px: PositiveInt = Field(224, description="height and width of a stored frame")
    workers: int = Field(0, ge=0, description="decoding processes; 0 means one per core")
    on_bad_frame: Literal["fail", "skip"] = "fail"
    max_bad_frames: int = Field(0, ge=0, description="with on_bad_frame: skip, more bad frames than this still fail")
    per_dataset: dict[str, IngestOverride] = Field(default_factory=dict)


class SplitOverride(Section):
    """What one dataset may change in split."""

    cap: PositiveInt


class Split(OverridableSection):
    """How frames are divided into train, valid and test."""

    strategy: Literal["published", "grouped", "random"] = "published"
    balance: Literal["none", "undersample", "oversample", "class_weights"] = "undersample"
    cap: PositiveInt = Field(1000, description="frames per class in train, at most, for balance: undersample")
    on_leak: Literal["fail", "drop", "warn"] = "drop"
    fold_count: int = Field(5, ge=3, description="splits that strategy grouped cuts the runs into")
    seed: int = 0
    per_dataset: dict[str, SplitOverride] = Field(default_factory=dict)
