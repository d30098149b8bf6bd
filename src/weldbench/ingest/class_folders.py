"""An ImageFolder tree: class folders with the pictures or runs in them, below folders of splits or not."""

from pathlib import PurePosixPath

from weldbench.config.data import NO_GOOD_CLASS, problem_with_classes
from weldbench.errors import InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.frames import SPLIT_NAMES, SPLITS, Frame, Layout
from weldbench.ingest.unused import Unused
from weldbench.runtime.text import some

_FOLDERS_SHOWN = 8
_SPLIT_STARTS = ("train", "val", "test", "dev", "eval")
_IN_NO_CLASS = "it lies in no class folder"


def class_folders_layout(
    archive: Archive, images: list[str], classes: list[str] | None, good_class: str | None, unused: Unused
) -> Layout:
    """Read the frames of class folders.

    Args:
        archive: The archive.
        images: Names of its pictures.
        classes: In label order; None takes the folders' names, the one that begins with `good` first.
        good_class: Its name; NO_GOOD_CLASS where there is none, None where it begins with `good`.
        unused: What else lies in the archive, or lay beside and was not packed.

    Raises:
        InputError: The folders tell no classes, or not which is the good one.
    """
    prefix, tables = _common_folders(images, classes, good_class), _tables(archive, unused)
    layout = Layout([])
    placed: list[tuple[str, str, PurePosixPath]] = []
    inside = [name for name in images if name.startswith(prefix)]
    layout.bad = dict.fromkeys((name for name in images if not name.startswith(prefix)), _IN_NO_CLASS)
    in_splits = _are_splits(archive, [_below(name, prefix) for name in inside], classes, tables)
    for name in inside:
        path = _below(name, prefix)
        split = SPLITS[path.parts[0].lower()] if in_splits and len(path.parts) > 1 else ""
        inner = PurePosixPath(*path.parts[1:]) if split else path
        if len(inner.parts) < 2:
            layout.bad[name] = _IN_NO_CLASS
        else:
            placed.append((name, split, inner))
    if images and not placed:
        raise InputError(
            f"{archive.name}: the pictures lie in no class folders ({some(images)}), so nothing tells their classes; "
            f"put those of each class into a folder with its name{tables}"
        )
    folders = sorted({inner.parts[0] for _, _, inner in placed})
    without = _folders_without_pictures(unused, prefix, in_splits, {*folders, *(classes or [])})
    if without:
        layout.notes.append(f"Folders beside those of the classes, without a picture that is read: {some(without)}.")
    if placed:
        hint = f". No picture that is read lies in {some(without)}" if without else ""
        layout.classes = list(classes) if classes else _classes_of(archive, folders, good_class, hint + tables)
    if prefix and good_class == NO_GOOD_CLASS and not classes:
        layout.notes.append(f"The classes are the folders in {prefix}: {some(layout.classes, _FOLDERS_SHOWN)}.")
    for name, split, inner in placed:
        label, *between, _ = inner.parts
        if label in layout.classes:
            layout.frames.append(Frame(name, str(inner), "/".join(between), label, split))
        else:
            layout.bad[name] = f"its folder {label!r} is none of the classes {', '.join(layout.classes)}"
    if placed and not layout.frames:
        raise InputError(
            f"{archive.name}: none of the folders {some(folders, _FOLDERS_SHOWN)} is one of the classes "
            f"{some(layout.classes, _FOLDERS_SHOWN)}; correct `classes` of the dataset in params.yaml{tables}"
        )
    return layout


def note_runs_of_several_classes(layout: Layout) -> None:
    """Say that runs of one name in several class folders are taken for one film."""
    classes: dict[str, set[str]] = {}
    for frame in layout.frames:
        classes.setdefault(frame.run, set()).add(frame.label)
    if several := sorted(run for run, labels in classes.items() if run and len(labels) > 1):
        shown = ", ".join(several[:3]) + (", ..." if len(several) > 3 else "")
        layout.notes.append(
            f"Runs in several class folders have the same name ({shown}): each name is taken for one film, whose class "
            "changes. Films of their own need names of their own."
        )


def _below(name: str, prefix: str) -> PurePosixPath:
    return PurePosixPath(name.removeprefix(prefix))


def _common_folders(images: list[str], classes: list[str] | None, good_class: str | None) -> str:
    """Return the folders, with a slash behind each, that only wrap the classes or splits; stray pictures aside."""
    prefix = ""
    while True:
        paths = [_below(name, prefix) for name in images if name.startswith(prefix)]
        tops = {path.parts[0] for path in paths if len(path.parts) > 1}
        if len(tops) != 1:
            return prefix
        (top,) = tops
        inside = [PurePosixPath(*path.parts[1:]) for path in paths if path.parts[0] == top]
        if top.lower() in SPLITS or not _only_wraps(top, inside, classes, good_class):
            return prefix
        prefix += f"{top}/"


def _only_wraps(top: str, inside: list[PurePosixPath], classes: list[str] | None, good_class: str | None) -> bool:
    """Tell a folder around the classes from the one class of the data, whose folders are runs.

    Args:
        top: Name of the one folder that holds pictures.
        inside: Paths of its pictures below it.
        classes: As given.
        good_class: As given.
    """
    folders = {path.parts[0] for path in inside if len(path.parts) > 1}
    if classes:
        return top not in classes and bool(folders)
    if good_class in {top, *(part for path in inside for part in path.parts[:-1])}:
        return top != good_class
    if _begins_with_good(top):
        good = {folder for folder in folders if _begins_with_good(folder)}
        return bool(good) and good != folders
    if any(_begins_with_good(folder) for path in inside for folder in path.parts[:-1]):
        return True
    return bool(folders) and all(len(path.parts) > 1 for path in inside)


def _begins_with_good(name: str) -> bool:
    return name.lower().startswith("good")


def _are_splits(archive: Archive, paths: list[PurePosixPath], classes: list[str] | None, tables: str) -> bool:
    tops = sorted({path.parts[0] for path in paths if len(path.parts) > 1})
    named = [top for top in tops if top.lower() in SPLITS]
    others = [top for top in tops if top.lower() not in SPLITS]
    splits = [SPLITS[top.lower()] for top in named]
    if classes and set(tops) <= set(classes):
        return False
    if "train" not in splits and _look_like_splits(tops):
        raise InputError(
            f"{archive.name}: the folders {some(tops)} look like splits, and splits are named {SPLIT_NAMES}; rename "
            f"them, or list them as `classes` of the dataset in params.yaml if they are classes{tables}"
        )
    if not named:
        return False
    if others and "train" not in splits and len(named) == 1:
        return False  # a class may be called test
    if others:
        raise InputError(
            f"{archive.name}: {' and '.join(named)} {'is a split' if len(named) == 1 else 'are splits'}, but "
            f"{some(others)} {'is' if len(others) == 1 else 'are'} not: splits are named {SPLIT_NAMES}; rename "
            f"what is a split, and take everything else out of that folder{tables}"
        )
    if twice := [top for top in named if splits.count(SPLITS[top.lower()]) > 1]:
        raise InputError(f"{archive.name}: the folders {' and '.join(twice)} are one split; put them together")
    return True


def _look_like_splits(folders: list[str]) -> bool:
    """Tell whether folders are splits under other names, as training_set and test_set."""
    plain = [folder.strip().lower() for folder in folders]
    return all(name.startswith(_SPLIT_STARTS) for name in plain) and any(
        name.startswith("train") and not other.startswith("train") for name in plain for other in plain
    )


def _classes_of(archive: Archive, folders: list[str], good_class: str | None, hint: str) -> list[str]:
    """Return the folders' names as classes, the good one first where it is told by its name."""
    if problem := problem_with_classes(folders):
        raise InputError(f"{archive.name}: {problem}")
    good = [name for name in folders if _begins_with_good(name)]
    shown = some(folders, _FOLDERS_SHOWN)
    if len(folders) < 2:
        raise InputError(
            f"{archive.name}: there is one class in it, {folders[0]!r}; at least two are needed, each with a folder "
            f"of its own{hint}"
        )
    if good_class is not None:
        return folders
    if len(good) == len(folders):
        raise InputError(
            f"{archive.name}: all of the folders {shown} begin with good, as runs of one class do; give the folder "
            "that holds the class folders, or name the good one as `good_class` of the dataset in params.yaml, or "
            f"{NO_GOOD_CLASS} if there is none{hint}"
        )
    if len(good) != 1:
        which = "No folder's name begins" if not good else f"{' and '.join(good)} begin"
        raise InputError(
            f"{archive.name}: which of the classes {shown} is the good one? {which} with good; name it as "
            f"`good_class` of the dataset in params.yaml, or {NO_GOOD_CLASS} if there is none. If they are runs of one "
            f"class, give the folder that holds the class folders{hint}"
        )
    return good + [name for name in folders if name not in good]


def _folders_without_pictures(unused: Unused, prefix: str, in_splits: bool, classes: set[str]) -> list[str]:
    """Name folders at the place of classes in which no picture was found."""
    depth = 1 if in_splits else 0
    paths = [PurePosixPath(name).parent for name in unused.unread] + [
        PurePosixPath(name) for name in unused.empty_folders
    ]
    inside = [_below(f"{path}/", prefix) for path in paths if f"{path}/".startswith(prefix)]
    found = {
        path.parts[depth]
        for path in inside
        if len(path.parts) > depth and (depth == 0 or path.parts[0].lower() in SPLITS)
    }
    return sorted(found - classes - {"."})


def _tables(archive: Archive, unused: Unused) -> str:
    """Name the files that may hold the labels, and why they are not read."""
    tables = [name for name in unused.unread if name.lower().endswith((".csv", ".txt", ".xlsx", ".xml"))]
    told = f". Tables of labels are not read ({some(tables)})" if tables else ""
    json_files = [name for name in archive.names if name.lower().endswith(".json")]
    if json_files:
        told += f". Labels in JSON are read from files named like their split, as train/train.json ({some(json_files)})"
    return told
