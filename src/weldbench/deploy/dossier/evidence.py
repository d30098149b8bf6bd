"""What drills of minutes measure of a model: a dossier names them, and `snakemake trust` puts what they found in."""

import re
from pathlib import Path

from weldbench.deploy.bundle import Bundle
from weldbench.errors import InputError

# Target of Snakemake -> the tables that it writes into results/D/trust.
TABLES = {"unknown": ["unknown"], "robustness": ["robustness", "robustness_escapes"], "review": ["review"]}
_OPENING = "**Not measured by this run.**"
_PLACE = re.compile(rf"^{re.escape(_OPENING)} `snakemake --cores all (\w+)`.*$", re.MULTILINE)


def not_measured(target: str, bundle: Bundle) -> str:
    """Say which command measures something; `with_evidence` finds this sentence, and puts in what was found."""
    dossier = f"results/{bundle.dataset}/trust/dossier/{bundle.model}.html"
    return (
        f"{_OPENING} `snakemake --cores all {target}` measures it. `snakemake --cores all trust` measures all that is "
        f"missing here, and writes this dossier with it: {dossier}."
    )


def with_evidence(export: Path, trust: Path) -> str:
    """Put the tables of the drills into the dossier of an export, where it says that they are missing.

    Args:
        export: Folder of the export, named after its model; lines and notes about others are left out.
        trust: Folder of the tables.

    Returns:
        The dossier in Markdown.

    Raises:
        InputError: The dossier or a table is missing.
    """

    def found(place: re.Match[str]) -> str:
        return "\n\n".join(_about(_read(trust / f"{name}.md"), export.name) for name in TABLES[place[1]])

    return _PLACE.sub(found, _read(export / "card.md")) + "\n"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run `snakemake --cores all trust`") from None


def _about(table: str, model: str) -> str:
    """Keep the rows and notes of a table that are not about other models."""
    rows = [line for line in table.splitlines() if line.startswith("|")]
    if not rows or _cell(rows[0]) != "model":
        return table
    others = {_cell(row) for row in rows[2:]} - {model}
    return "\n".join(
        line
        for line in table.splitlines()
        if not (line in rows[2:] and _cell(line) in others)
        and not any(line.startswith(f"- {other} ") for other in others)
    )


def _cell(row: str) -> str:
    return row.split("|")[1].strip()
