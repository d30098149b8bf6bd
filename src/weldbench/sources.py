"""Which source files a script computes with: what both engines watch for changes of the code."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# These read, check, lock and write, but decide no number: a change of them makes no result stale.
PLUMBING = frozenset(
    {
        "__init__.py",
        "atomic.py",
        "command.py",
        "engine_lock.py",
        "errors.py",
        "progress.py",
        "config/__init__.py",
        "config/base.py",
        "config/params.py",
        "config/problems.py",
    }
)


def files_used_by(*sources: Path | str) -> list[str]:
    """List scripts or notebooks and the modules of this package that they import, directly or not; no plumbing.

    Args:
        sources: Files, relative to the project's root, which is the working folder.

    Returns:
        Paths relative to the project's root: the given ones, then the modules, sorted.
    """
    package = Path("src/weldbench")
    found: set[Path] = set()
    waiting = [Path(source) for source in sources]
    while waiting:
        for module in _imported_modules(waiting.pop(), package):
            if module not in found and module.relative_to(package).as_posix() not in PLUMBING:
                found.add(module)
                waiting.append(module)
    return [*map(str, sources), *sorted(map(str, found))]


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
    if first != package.name:
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
