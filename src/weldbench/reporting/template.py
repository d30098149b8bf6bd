"""Pieces of HTML as one self-contained page, by the template of the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter

from weldbench.errors import InputError


def page_of(pieces: Sequence[str], parameters: Mapping[str, Any], template: Path) -> str:
    """Return a page.

    Args:
        pieces: HTML, in order.
        parameters: `title` and `dataset`, as a notebook of the report has them.
        template: Folder of an nbconvert template.

    Raises:
        InputError: The template is missing.
    """
    outputs = [nbformat.v4.new_output("display_data", data={"text/html": piece}) for piece in pieces]
    cells = [nbformat.v4.new_code_cell(outputs=[output]) for output in outputs]
    metadata = {"papermill": {"parameters": dict(parameters)}}
    return exported(nbformat.v4.new_notebook(cells=cells, metadata=metadata), template)


def exported(notebook: nbformat.NotebookNode, template: Path) -> str:
    """Return an executed notebook as HTML.

    Raises:
        InputError: The template is missing.
    """
    if not template.exists():
        raise InputError(f"{template}: there is no such file; it belongs to the project, restore it")
    exporter = HTMLExporter(template_name=template.name, extra_template_basedirs=[str(template.parent)])
    page: str = exporter.from_notebook_node(notebook)[0]
    return page
