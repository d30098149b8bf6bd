"""Scripts of the project in processes of their own, as on a command line, but without seconds for the libraries' start.

Each process is a copy of one that has imported the large libraries, and nothing of the project. That one computes
nothing itself, so a copy is like a Python that has just started.
"""

import multiprocessing
import os
import runpy
import sys
import tempfile
from pathlib import Path

SCRIPTS = Path(__file__).parents[1] / "scripts"
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["torch", "torchvision", "lightning_fabric", "pandas", "pydantic", "sklearn.linear_model"]
)


def run_script(name: str, *arguments: object, folder: Path, code: int = 0, **environment: str) -> str:
    """Run `python scripts/NAME ARGUMENTS` in a folder; return what it says, both streams together."""
    with tempfile.TemporaryDirectory() as temporary:
        said = Path(temporary, "said")
        line = [str(SCRIPTS / name), *map(str, arguments)]
        process = _FORKS.Process(target=_run, args=(line, folder, environment, said))
        process.start()
        try:
            process.join()
        finally:
            process.kill()  # where the test was ended meanwhile; else it is no more
        text = said.read_text(encoding="utf-8")
    assert process.exitcode == code, text
    assert "Traceback" not in text
    return text


def _run(line: list[str], folder: Path, environment: dict[str, str], said: Path) -> None:
    os.chdir(folder)
    os.environ.update(environment)
    packages = environment["PYTHONPATH"].split(os.pathsep) if "PYTHONPATH" in environment else []
    sys.path[:0] = [str(SCRIPTS), *packages]  # where Python looks first when it starts a script
    with said.open("wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    sys.argv = line
    runpy.run_path(line[0], run_name="__main__")
