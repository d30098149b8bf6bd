"""From notebook to page: papermill runs it in a kernel of this interpreter, nbconvert makes one self-contained file."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from weldbench.errors import InputError
from weldbench.reporting.template import exported
from weldbench.runtime.atomic import write_json, write_text

# The kernel talks over sockets in a folder of its own instead of open ports.
_PRIVATE = Config({"KernelManager": {"transport": "ipc"}})


def render(notebook: Path, template: Path, parameters: Mapping[str, Any], output: Path) -> None:
    """Run a notebook with parameters and write it as HTML, atomically; the executed notebook is not kept.

    Args:
        notebook: With a cell tagged `parameters`.
        template: Folder of an nbconvert template.
        parameters: For that cell.
        output: The page.

    Raises:
        InputError: The notebook or the template is missing, or an InputError ended a cell.
    """
    for path in (notebook, template):
        if not path.exists():
            raise InputError(f"{path}: there is no such file; it belongs to the project, restore it")
    with own_kernel() as folder:
        executed = folder / notebook.name
        try:
            papermill.execute_notebook(
                notebook, executed, dict(parameters), kernel_name="python3", progress_bar=False, config=_PRIVATE
            )
        except PapermillExecutionError as error:
            if error.ename == "InputError":
                raise InputError(error.evalue) from None
            raise
        page = exported(nbformat.read(executed, as_version=4), template)
    write_text(output, page)


@contextmanager
def own_kernel() -> Iterator[Path]:
    """Make a folder in which `python3` is this interpreter, whatever kernels and settings the user has."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kernel = folder / "data" / "kernels" / "python3"
        kernel.mkdir(parents=True)
        # It is ended by an interrupt, of which it would complain where that meets it still at work.
        quiet = "--log-level=CRITICAL"
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", quiet]
        write_json(kernel / "kernel.json", {"argv": command, "display_name": "Python 3", "language": "python"})
        own = {
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_PATH": "",
            "JUPYTER_PREFER_ENV_PATH": "0",
            "IPYTHONDIR": str(folder / "ipython"),
        }
        before = {key: os.environ.get(key) for key in own}
        os.environ.update(own)
        try:
            yield folder
        finally:
            for key, value in before.items():
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value
