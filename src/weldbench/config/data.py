"""The sections about data: datasets, ingest, split."""

import codecs
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from weldbench.config.base import Balance, Count, Override, Pixels, RenderedPixels, Section, Seed, SplitName
from weldbench.errors import InputError

SS304_CLASSES = [
    "good_weld",
    "burn_through",
    "contamination",
    "lack_of_fusion",
    "lack_of_shielding_gas",
    "high_travel_speed",
]
CORRECTIONS = "corrections"  # the folder of corrected labels, of the project's root
NO_GOOD_CLASS = "none"  # as `good_class`

# The columns beside those of the classes in predictions.csv and split.csv, and lines of the tables.
RESERVED = ("split_id", "split", "row", "run", "label", "weight", "macro average", "total")


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
            what = f"{name!r} is there twice" if other == name else f"{other!r} and {name!r} are nearly one name"
            return f"of the classes, {what}; rename one, or put their frames together"
        seen[plain] = name
    return None


def _plain(name: str) -> str:
    """Reduce a name to what a person reads: no case, no form of Unicode, one kind of space."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()


def _compilable(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
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


def _readable_path(path: str) -> str:
    try:
        Path(path).expanduser().resolve()
    except (RuntimeError, ValueError, OSError) as error:
        raise ValueError(f"this is no path: {error}") from None
    if not path.strip():
        raise ValueError("this is no path: it is empty")
    return path


def _a_file_of_corrections(path: str) -> str:
    # One folder, so that DVC, which has no inputs that may be absent, can watch it.
    if (where := PurePosixPath(path)).parent.as_posix() != CORRECTIONS or where.suffix != ".csv":
        raise ValueError(f"corrections lie in the folder {CORRECTIONS}, where both engines watch them, as NAME.csv")
    return path


Pattern = Annotated[str, AfterValidator(_compilable)]
CorrectionsFile = Annotated[str, AfterValidator(_a_file_of_corrections)]
ClassNames = Annotated[list[str], Field(min_length=2), AfterValidator(_usable)]
Encoding = Annotated[str, AfterValidator(_an_encoding)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Counts = dict[SplitName, Count | dict[str, Count]]


@dataclass(frozen=True)
class ExpectedArchive:
    """What an archive has to hold; what is absent may be any.

    Attributes:
        frames: Number of frames.
        counts: Number of frames per split, or per split and class.
        sha256: SHA-256 of the file in hex digits.
    """

    frames: int | None = None
    counts: Counts = field(default_factory=dict)
    sha256: str | None = None


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

    @property
    def expected(self) -> ExpectedArchive:
        """What the archive has to hold."""
        return ExpectedArchive()


class SimulatedDataset(_Dataset):
    """Frames rendered by weldbench.weldsim."""

    source: Literal["simulated"]
    classes: ClassNames = Field(SS304_CLASSES, description="class names in the order of the labels 0, 1, ...")
    seed: Seed = Field(0, description="seed of the simulated plant: another one renders other runs")
    width_px: RenderedPixels = Field(320, description="width of a rendered frame in pixels")
    height_px: RenderedPixels = Field(175, description="height of a rendered frame in pixels")
    train_frames: Count = Field(1200, description="frames of the split train, of all classes together")
    valid_frames: Count = Field(480, description="frames of the split valid, of all classes together")
    test_frames: Count = Field(1100, description="frames of the split test, of all classes together")
    imbalance: float = Field(75, ge=1, le=1e6, description="good_weld frames per lack_of_shielding_gas frame in test")

    @property
    def frames_per_split(self) -> dict[SplitName, int]:
        """Number of frames to render for each split."""
        return {"train": self.train_frames, "valid": self.valid_frames, "test": self.test_frames}


class KaggleDataset(_Dataset):
    """An archive on Kaggle, by its handle `owner/name`."""

    source: Literal["kaggle"]
    handle: str = Field(pattern=r"^[\w-]+/[\w-]+$", description="owner/name, as in the address of the dataset's page")
    version: Count | None = Field(None, description="version of the Kaggle dataset; none means the newest")
    sha256: Sha256 | None = Field(None, description="expected SHA-256 of the zip; none accepts any and records it")
    frames: Count | None = Field(None, description="expected number of frames; none accepts any")
    counts: Counts = Field(
        default_factory=dict, description="expected frames per split, or per split and class; what is absent may be any"
    )

    @property
    def expected(self) -> ExpectedArchive:
        """What the archive has to hold."""
        return ExpectedArchive(self.frames, self.counts, self.sha256)


class LocalDataset(_Dataset):
    """A folder or a zip on this machine."""

    source: Literal["local"]
    path: Annotated[str, AfterValidator(_readable_path)] = Field(description="folder or zip; relative to params.yaml's")
    sha256: Sha256 | None = Field(None, description="expected SHA-256 of the archive; none accepts any and records it")

    @property
    def expected(self) -> ExpectedArchive:
        """What the archive has to hold."""
        return ExpectedArchive(sha256=self.sha256)


Dataset = Annotated[SimulatedDataset | KaggleDataset | LocalDataset, Field(discriminator="source")]


def dataset_named(datasets: dict[str, Dataset], name: str) -> Dataset:
    """Return the entry of `datasets` with this name.

    Raises:
        InputError: There is none.
    """
    if name not in datasets:
        raise InputError(f"there is no dataset `{name}` in the section datasets, which has: {', '.join(datasets)}")
    return datasets[name]


class IngestOverride(Override):
    """What one dataset may change in ingest."""

    frame_size_px: Pixels | None = Field(None, description="height and width of a stored frame in pixels")


class Ingest(Section):
    """How frames leave the archive."""

    frame_size_px: Pixels = Field(224, description="height and width of a stored frame in pixels")
    workers: int = Field(0, ge=0, le=1024, description="decoding processes; 0 means one per core")
    on_bad_frame: Literal["fail", "skip"] = Field("fail", description="what to do when a frame cannot be used")
    max_bad_frames: int = Field(
        0, ge=0, le=10_000_000, description="with on_bad_frame: skip, more bad frames than this still fail"
    )


class SplitOverride(Override):
    """What one dataset may change in split."""

    cap: Count | None = Field(None, description="frames per class to learn from at most, for balance: undersample")
    corrections: CorrectionsFile | None = Field(None, description="what a person decided about its labels")


class Split(Section):
    """How frames are divided into train, valid and test."""

    strategy: Literal["published", "grouped", "random"] = Field(
        "published", description="the splits of the data itself, new ones by whole runs, or new ones by single frames"
    )
    balance: Balance = Field("undersample", description="how models that do not say so make up for rare classes")
    cap: Count = Field(1000, description="frames per class that these learn from at most, for balance: undersample")
    on_leak: Literal["fail", "drop", "warn"] = Field("drop", description="what to do with frames that two splits share")
    fold_count: int = Field(5, ge=3, le=1000, description="folds that strategy grouped cuts the runs into")
    seed: Seed = Field(0, description="seed of which run or frame goes where")
    corrections: CorrectionsFile | None = Field(
        None,
        description="labels that a person corrected with `weldbench review`: corrections/NAME.csv; null applies none",
    )
