"""What others have published on the same data: reference/published.yaml, checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from weldbench.config.base import Section
from weldbench.config.problems import describe
from weldbench.config.strict_yaml import read_yaml
from weldbench.errors import InputError

Mark = Literal["V", "S", "A"]
FramesPerClass = dict[str, int]


class Remark(Section):
    """A sentence with its mark."""

    text: str
    dataset: str | None = Field(None, description="the one that it is about; none means all")
    source: str | None = None
    mark: Mark


class BalancedSubset(Section):
    """The frames per class of a paper's own undersampling."""

    note: str
    source: str
    mark: Mark
    frames: dict[str, FramesPerClass]


class PublishedDataset(Section):
    """What is known of a dataset as published."""

    classes: list[str]
    source: str
    mark: Mark
    total_frames: int
    run_folders: int | None = None
    frames: dict[str, int] = Field(default_factory=dict)
    runs: dict[str, int] = Field(default_factory=dict)
    frames_per_class: dict[str, FramesPerClass] = Field(default_factory=dict)
    balanced_subset: BalancedSubset | None = None
    notes: list[Remark] = Field(default_factory=list)


class FrameCount(Section):
    """How many frames of a split a result rests on."""

    frames: int
    mark: Mark


class Result(Section):
    """The quoted numbers of one model."""

    who: str
    model: str
    architecture: str | None = Field(None, description="as in the section models of params.yaml; none of one network")
    init: Literal["scratch", "imagenet", "pretrained"] | None = Field(
        None, description="starting weights; pretrained: on what is not published"
    )
    settings: dict[str, int | float | str] = Field(
        default_factory=dict, description="other settings of the training, named as in the section models"
    )
    dataset: str
    training: str
    split: Literal["official", "random"] | None = None
    chosen_on_test: bool = Field(False, description="whether the best epoch or model was chosen by its test score")
    source: str
    mark: Mark
    train: FrameCount | None = None
    test: FrameCount | None = None
    macro_f1: float | None = None
    accuracy: float | None = None
    valid_accuracy: float | None = None
    two_class_accuracy: float | None = None
    f1: dict[str, float] = Field(default_factory=dict)
    recall: dict[str, float] = Field(default_factory=dict)
    remark: str = ""

    def counterpart(self, settings: Mapping[str, Mapping[str, Any]]) -> str | None:
        """Name our model of the same architecture, if possible of the same starting weights, else of the same kind.

        Args:
            settings: Per model those that its training had, from training.json; a record without `architecture` is
                that of a model which is named like it.
        """
        same = [name for name, of in settings.items() if self.architecture == of.get("architecture", name)]

        def distance(name: str) -> tuple[bool, bool]:
            init = settings[name].get("init")
            return init != self.init, (init == "scratch") != (self.init == "scratch")

        return min(same, key=distance, default=None)


class Published(Section):
    """The whole file."""

    sources: dict[str, str]
    datasets: dict[str, PublishedDataset]
    results: list[Result]
    not_comparable: list[Remark]

    def with_classes(self, classes: Sequence[str]) -> list[Result]:
        """Return the results on data of exactly these classes."""
        return [result for result in self.results if set(self.datasets[result.dataset].classes) == set(classes)]

    def with_f1(self, classes: Sequence[str]) -> list[Result]:
        """Return those of them that quote an F1."""
        return [result for result in self.with_classes(classes) if result.f1 or result.macro_f1 is not None]

    def caveats(self, results: Sequence[Result]) -> list[Remark]:
        """Return what makes results hard to compare with ours."""
        datasets = {None, *(result.dataset for result in results)}
        return [remark for remark in self.not_comparable if remark.dataset in datasets]

    def balanced_test(self, dataset: str) -> Mapping[str, int] | None:
        """Return the frames per class of the published balanced subset of test; None where there is none."""
        known = self.datasets.get(dataset)
        return known.balanced_subset.frames.get("test") if known and known.balanced_subset else None


def read_published(path: Path | str) -> Published:
    """Read the published numbers.

    Raises:
        InputError: The file is missing, is no YAML, or holds an unknown key, a wrong value, or a name without an entry.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file; it belongs to the project, restore it")
    document = read_yaml(path)
    try:
        published = Published.model_validate(document.values)
    except ValidationError as error:
        raise InputError(f"{path}: {describe(error, Published, document)}") from None
    for result in published.results:
        if result.dataset not in published.datasets or result.source not in published.sources:
            raise InputError(f"{path}: {result.model} names the dataset or source of no entry; add it to the file")
    return published
