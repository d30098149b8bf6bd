"""The points of a sweep as a table, the best first."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from weldbench.errors import InputError
from weldbench.reporting.figures.sweep import sweep_figure
from weldbench.reporting.tables.table import Table
from weldbench.runtime.atomic import replacing
from weldbench.training.sweep import COLUMNS


def sweep_table(points: Sequence[Path]) -> pd.DataFrame:
    """Read points into one table, the best first: by macro F1 on valid, then by loss there.

    Raises:
        InputError: A file is missing or is no point, or there is none.
    """
    if not points:
        raise InputError("--points: no point was named; train some with scripts/sweep.py point")
    return (
        pd.DataFrame([_read_point(path) for path in points], columns=list(COLUMNS))
        .sort_values(["valid_macro_f1", "valid_loss"], ascending=[False, True], kind="stable")
        .reset_index(drop=True)
    )


def write_sweep(points: pd.DataFrame, output: Path) -> None:
    """Write sweep.csv, sweep.md, sweep.tex and sweep.png into the folder `output`."""
    shown = pd.DataFrame(
        {
            "model": points["model"],
            "epochs": points["epochs"].astype(str),
            "learning rate": points["learning_rate"].map("{:g}".format),
            "macro F1": points["valid_macro_f1"].map("{:.3f}".format),
            "loss": points["valid_loss"].map("{:.3f}".format),
            "best epoch": points["best_epoch"].astype(str),
            "seconds": points["seconds"].map("{:.0f}".format),
        }
    )
    chosen = frozenset((0, str(column)) for column in shown)
    notes = ["One training each. Macro F1 and loss are those of valid, at the best epoch; test was not read."]
    if doubts := [text for text in points["valid_doubts"].unique() if text]:
        notes = [
            "One training each. Macro F1 and loss are those of valid, at the epoch that is kept; test was not read.",
            f"These scores are too few to choose by, as valid cannot choose: {'; '.join(doubts)}.",
        ]
    Table("sweep", "Depth, training length and learning rate", points, shown, chosen, notes).write(output)
    with replacing(output / "sweep.png") as partial:
        sweep_figure(points).savefig(partial, dpi=150, metadata={"Software": None})


def _read_point(path: Path) -> dict[str, Any]:
    try:
        point = json.loads(path.read_text(encoding="utf-8"))
        return {name: point[name] for name in COLUMNS}
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; train that point first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: this is no point of a sweep: {error}; delete it and train it again") from None
