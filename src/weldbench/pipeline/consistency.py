"""Whether outputs were made from what is asked for now: the checks behind `compare`, `weldbench sync` and `verify`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weldbench.errors import InputError
from weldbench.pipeline.records import Record, off_lock, read_record, setting_differences, sha256

AGAIN = (
    "`snakemake --cores all` or `dvc repro` makes what is missing, and again what a change of params.yaml concerns; "
    "where they find nothing to do, `dvc checkout` brings back the files that dvc.lock names, or delete the files "
    "named here and run again. Tables that an engine deleted before come back with `git checkout results`"
)
_NAMED = 3  # files in a sentence
_LARGE = {".safetensors", ".npy"}


def contradictions(records: Iterable[Record], *, large_files: bool) -> dict[Path, list[str]]:
    """Say which outputs were made from something else than what is asked for; what is not there says nothing.

    Args:
        records: What is asked for.
        large_files: Also hash the frames and the trained networks, which takes about a second per GB; else what their
            records say of them is believed.

    Returns:
        File that carries the record -> sentences; empty if everything belongs together.

    Raises:
        InputError: A record is damaged.
    """
    records = list(records)
    present = [record for record in records if record.path.is_file()]
    found = {record.path: list(_differences(record, large_files)) for record in present}
    for record in records:
        if not record.path.is_file() and (made := [path for path in record.outputs.values() if path.is_file()]):
            found[record.path] = [f"it is missing, so nothing says what {made[0]} was made from"]
    for stage in ("train", "evaluate"):
        for path, sentence in _mixed_versions([record.path for record in present if record.stage == stage]):
            found[path].append(sentence)
    return {path: sentences for path, sentences in found.items() if sentences}


def deviations(records: Iterable[Record], lock: Path) -> list[str]:
    """Say what is allowed but has to be known: other packages than the lock's, other code than that here.

    Raises:
        InputError: A record is damaged, or the lock is missing.
    """
    records = list(records)
    packages: dict[str, list[Path]] = {}
    for record in records:
        if record.stage in {"pretrain", "features", "train", "evaluate"} and (made_from := _made_from(record.path)):
            for package in off_lock(made_from["versions"], lock):
                packages.setdefault(package, []).append(record.path)
    code = other_code(records)
    said = [
        f"Made with other packages than the locked ones, {name}: {_some(paths)}." for name, paths in packages.items()
    ]
    if code:
        said.append(f"Made by other code than that in src/weldbench (comments do not count): {_some(code)}.")
    return said


def other_code(records: Iterable[Record]) -> list[Path]:
    """List what was made by other code than that here, comments aside.

    Raises:
        InputError: A record is damaged.
    """
    return [
        record.path
        for record in records
        if (made_from := _made_from(record.path)) and made_from["code_sha256"] != record.code_sha256
    ]


def missing(records: Iterable[Record]) -> list[str]:
    """Name what is asked for and is not here; of many files in one folder, such as models/weldsim, the first ones."""
    absent: dict[Path, list[Path]] = {}
    for record in records:
        for path in (record.path, *record.outputs.values()):
            if not path.is_file():
                absent.setdefault(Path(*path.parts[:2]), []).append(path)
    return [
        sentence
        for folder, paths in absent.items()
        for sentence in (
            [f"{path} is missing" for path in paths]
            if len(paths) <= _NAMED
            else [f"{folder}: {len(paths)} files are missing, {_some(paths)}"]
        )
    ]


def refuse(found: Mapping[Path, Sequence[str]], what: str) -> None:
    """Stop with all contradictions, if there are any.

    Raises:
        InputError: There are.
    """
    if found:
        lines = [f"{path}: {sentence}" for path, sentences in found.items() for sentence in sentences]
        raise InputError("\n  - ".join([what, *lines]) + f"\n{AGAIN}")


def _differences(record: Record, large_files: bool) -> Iterator[str]:
    recorded = read_record(record.path)
    made_from = recorded.get("made_from")
    if not made_from:
        yield "it does not say what it was made from, as a file of an earlier version; delete it and run again"
        return
    for difference in setting_differences(made_from["settings"], record.settings):
        yield f"made with other settings: {difference}"
    if record.pretrained:
        of_backbone = made_from.get("pretrained", {}).get("settings", {})
        for difference in setting_differences(of_backbone, record.pretrained.settings):
            yield f"its backbone was made with other settings: {difference}"
    for name, path in record.inputs.items():
        if path.is_file() and made_from["inputs"].get(name) != _sum(path, large_files):
            yield f"made from another {path} than the one here"
    for name, path in record.outputs.items():
        weighed = large_files or path.suffix not in _LARGE
        if weighed and path.is_file() and recorded.get("outputs", {}).get(name) != sha256(path):
            yield f"it does not belong to {path}, which was written at another time or changed since"


def _sum(path: Path, large_files: bool) -> str:
    """Hash an input; of a trained network, unless it is to be hashed, take what its training says."""
    training = path.with_name("training.json")
    if large_files or path.suffix != ".safetensors" or not training.is_file():
        return sha256(path)
    return str(read_record(training).get("outputs", {}).get(path.name))


def _mixed_versions(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Compare the versions of each record with those of the first: one comparison, one set of packages."""
    known = {path: made_from["versions"] for path in paths if (made_from := _made_from(path))}
    if not known:
        return
    first, reference = next(iter(known.items()))
    for path, found in known.items():
        for name in sorted(found.keys() | reference.keys()):
            if found.get(name) != reference.get(name):
                ours, theirs = found.get(name, "unknown"), reference.get(name, "unknown")
                yield (
                    path,
                    f"made with {name} {ours}, but {first} with {name} {theirs}; make both with the same packages",
                )


def _made_from(path: Path) -> dict[str, Any] | None:
    """Read what a file says it was made from; None where there is no file, or one of an earlier version."""
    return read_record(path).get("made_from") if path.is_file() else None


def _some(paths: Sequence[Path]) -> str:
    shown = ", ".join(map(str, paths[:_NAMED]))
    return shown if len(paths) <= _NAMED else f"{shown} and {len(paths) - _NAMED} more"
