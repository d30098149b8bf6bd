"""What an archive lists: its frames with their labels, runs and splits."""

from dataclasses import dataclass, field

from weldbench.ingest.unused import Unused

SPLITS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
    "testing": "test",
}
SPLIT_NAMES = "train (training), valid (val, validation) and test (testing)"


@dataclass(frozen=True)
class Frame:
    """One frame as the archive lists it.

    Attributes:
        member: Its name in the archive.
        path: How it is published, below the folder of its split.
        run: The recorded weld; empty while none is named.
        label: Name of its class.
        published_split: train, valid or test; empty where the data names none.
    """

    member: str
    path: str
    run: str
    label: str
    published_split: str


@dataclass
class Layout:
    """All frames of an archive, sorted by split and run, those of a run in the order in which they were filmed.

    Attributes:
        classes: In label order, the good one first.
        good_class: Its name; None where every class is a defect.
        frames: The frames that can be used, as far as their names and labels tell.
        bad: Member -> why it cannot be used.
        unlisted: Images that no JSON file lists.
        notes: Sentences for the report.
        unused: What else was found.
    """

    classes: list[str]
    frames: list[Frame] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unused: Unused = field(default_factory=Unused)
    good_class: str | None = None
