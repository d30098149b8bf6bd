"""What is our code, and which of it a script computes with: what both engines watch for changes.

A stage depends on whole rooms of the library (`src/weldbench/training/`): an edit anywhere in a room runs again what
uses the room. Rooms of which stages use a little are taken file by file, but for a folder in them of which a stage uses
all. `PLUMBING` is left out.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path("src/weldbench")
# All that decides a result besides parameters and data; of the project's root.
CODE = (str(PACKAGE), "scripts", "notebooks", "reference", "requirements.lock")
# Taken file by file, unless a script uses all of one, or of a folder in it.
WIDE_ROOMS = frozenset({"config", "deploy", "evaluation", "pipeline", "runtime", "splitting"})
# These read, check, lock, write or count words, but decide no number: a change of them makes no result stale.
PLUMBING = frozenset(
    {
        "__init__.py",
        "errors.py",
        "config/base.py",
        "config/params.py",
        "config/problems.py",
        "config/strict_yaml.py",
        "pipeline/checked.py",
        "pipeline/command.py",
        "pipeline/consistency.py",
        "pipeline/lock.py",
        "pipeline/provenance.py",
        "pipeline/records.py",
        "pipeline/review_record.py",
        "pipeline/sources.py",
        "runtime/atomic.py",
        "runtime/disk.py",
        "runtime/parallel.py",
        "runtime/processor.py",
        "runtime/progress.py",
        "runtime/text.py",
    }
)


def places_used_by(*sources: Path | str) -> list[str]:
    """List what a stage depends on: scripts or notebooks, and the rooms and modules that they compute with.

    Args:
        sources: Files, relative to the project's root, which is the working folder.

    Returns:
        Paths relative to the project's root: the given ones, then folders and files of the library, sorted.
    """
    used = _modules_used_by(sources)
    return [*map(str, sources), *sorted({_place(module, used).as_posix() for module in used})]


def files_used_by(*sources: Path | str) -> list[str]:
    """List the same files one by one, for an engine that watches no folders."""
    used = _modules_used_by(sources)
    places = {_place(module, used) for module in used}
    return [*map(str, sources), *sorted({str(file) for place in places for file in _code_files(place)})]


@cache
def code_sha256(*modules: str) -> str:
    """Hash what modules of the library that is running compute with, wherever it lies.

    Comments, docstrings, layout and plumbing do not count: no result depends on them.

    Args:
        modules: Relative to the library, such as `training/train.py`; what they import counts too.
    """
    package = Path(__file__).parents[1]
    started = [package / module for module in modules]
    used = sorted({*started, *_modules_used_by(started, package)})
    trees = [(path.relative_to(package).as_posix(), _essence(ast.parse(_code(path)))) for path in used]
    return hashlib.sha256(json.dumps(trees).encode()).hexdigest()


def _essence(node: Any) -> Any:
    """Return a syntax tree as plain lists, the same in every version of Python, without docstrings.

    What is None or empty is left out, as newer versions add such fields.
    """
    if isinstance(node, list):
        return [_essence(item) for item in node if not _is_text_alone(item)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, _essence(value)) for name, value in ast.iter_fields(node) if value is not None]
    return [type(node).__name__, *((name, essence) for name, essence in fields if essence != [])]


def _is_text_alone(node: Any) -> bool:
    """Tell whether a statement is nothing but a text, as a docstring is."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _place(module: Path, used: set[Path]) -> Path:
    room = PACKAGE / module.relative_to(PACKAGE).parts[0]
    if room.name not in WIDE_ROOMS:
        return room
    whole = (folder for folder in (room, module.parent) if used.issuperset(folder.rglob("[!_]*.py")))
    return next(whole, module)


def _code_files(place: Path) -> list[Path]:
    """List the modules and templates of a room."""
    return [*place.rglob("*.py"), *place.rglob("*.j2")] if place.is_dir() else [place]


def _counts(module: Path, package: Path) -> bool:
    """Tell whether a module can decide a result."""
    return module.name != "__init__.py" and module.relative_to(package).as_posix() not in PLUMBING


def _modules_used_by(sources: Iterable[Path | str], package: Path = PACKAGE) -> set[Path]:
    """Find the modules that sources import, directly or through each other; not behind plumbing."""
    found: set[Path] = set()
    waiting = [Path(source) for source in sources]
    while waiting:
        for module in _imported_modules(waiting.pop(), package):
            if module not in found and module.relative_to(package).as_posix() not in PLUMBING:
                found.add(module)
                waiting.append(module)
    return {module for module in found if _counts(module, package)}


def _imported_modules(source: Path, package: Path) -> Iterator[Path]:
    for dotted_name in _imported_names(_code(source)):
        yield from _files_of(dotted_name, package)


@cache
def _imported_names(code: str) -> list[str]:
    """List what a text of Python imports; the same modules stand behind most stages, so each text is parsed once."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _files_of(dotted_name: str, package: Path) -> Iterator[Path]:
    first, *rest = dotted_name.split(".")
    if first != PACKAGE.name:
        return
    place = package.joinpath(*rest)
    for candidate in (place / "__init__.py", place.with_suffix(".py") if rest else place / "__init__.py"):
        if candidate.is_file():
            yield candidate


def _code(source: Path) -> str:
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
