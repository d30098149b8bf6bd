"""The public datasets, told by their numbers of frames, so that none gets the names of another one's classes."""

from collections import Counter

from weldbench.config.data import SS304_CLASSES
from weldbench.errors import InputError

AL5083_CLASSES = [
    "good_weld",
    "burn_through",
    "contamination",
    "lack_of_fusion",
    "misalignment",
    "lack_of_penetration",
]

# Frames per split, and per split and label (reference/published.yaml has the sources).
_SS304_SPLITS = {"train": 24204, "valid": 9694, "test": 11160}
_AL5083_LABELS = {"train": [8758, 1783, 6325, 4028, 2953, 2819], "test": [2189, 351, 2078, 1007, 729, 234]}


def known_dataset(labels: Counter[tuple[str, int]]) -> tuple[str, list[str]] | None:
    """Tell a public dataset by its counts.

    Args:
        labels: Frames per split and label, as the JSON files list them.

    Returns:
        Its name and its classes in label order; None if it is none that is known.
    """
    splits: Counter[str] = Counter()
    for (split, _), frames in labels.items():
        splits[split] += frames
    if dict(splits) == _SS304_SPLITS:
        return "SS304", SS304_CLASSES
    if all([labels[split, label] for label in range(6)] == counts for split, counts in _AL5083_LABELS.items()):
        return "Al5083", AL5083_CLASSES
    return None


def refuse_names_of_another(archive: str, known: tuple[str, list[str]], classes: list[str]) -> None:
    """Refuse names of a public dataset's classes that stand at a label where this one has another class.

    Names of a person's own, such as translations, are left as they are.
    """
    dataset, right = known
    public = {*SS304_CLASSES, *AL5083_CLASSES}
    wrong = [name for place, name in enumerate(classes) if name in public and right[place : place + 1] != [name]]
    if wrong:
        raise InputError(
            f"{archive}: by its numbers of frames this is {dataset}, which has no class {wrong[0]} at label "
            f"{classes.index(wrong[0])}; set `classes` of the dataset in params.yaml to [{', '.join(right)}]"
        )
