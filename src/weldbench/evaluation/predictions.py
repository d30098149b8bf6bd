"""What a model said about every frame: reading predictions.csv, checking it, putting several together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.errors import InputError

FRAME_COLUMNS = ("split_id", "split", "row", "run", "label")
_TEXT = {"split_id": str, "split": str, "run": str, "label": str}


@dataclass(frozen=True)
class Predictions:
    """The frames of one split, with what one training of one model said about them.

    Attributes:
        classes: Names in label order; the first is the good one, if there is one.
        labels: True class of each frame, int64, shape (N,).
        probabilities: float64, shape (N, K).
        runs: Name of each frame's run, shape (N,).
        folds: Fold in which each frame was scored, int64, shape (N,).
        rows: Row of each frame in the manifest, int64, shape (N,).
        has_good: Whether the first class is that of good welds; otherwise every class is a defect.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    runs: NDArray[np.str_]
    folds: NDArray[np.int64]
    rows: NDArray[np.int64]
    has_good: bool = True

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each frame, int64, shape (N,)."""
        most_probable: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return most_probable

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the true one, bool, shape (N,)."""
        correct: NDArray[np.bool_] = self.predicted == self.labels
        return correct

    def take(self, positions: np.ndarray) -> "Predictions":
        """Return the frames at `positions`: indices, int64 of shape (n,), or a mask, bool of shape (N,)."""
        return Predictions(
            self.classes,
            self.labels[positions],
            self.probabilities[positions],
            self.runs[positions],
            self.folds[positions],
            self.rows[positions],
            self.has_good,
        )


def class_names(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes of a table of predictions, in label order: every column that describes no frame."""
    return tuple(column for column in predictions.columns if column not in FRAME_COLUMNS)


def select_split(predictions: pd.DataFrame, split: str, fold: int = 0, has_good: bool = True) -> Predictions:
    """Return one split (`valid` or `test`) of a table of predictions as arrays.

    Args:
        predictions: As `read_predictions` returns it.
        split: `valid` or `test`.
        fold: In which the frames were scored.
        has_good: Whether the first class is that of good welds.

    Example:
        >>> predictions = pd.DataFrame(
        ...     {"split_id": "0123456789ab", "split": "test", "row": [4, 7], "run": "run1"}
        ...     | {"label": ["good_weld", "burn_through"], "good_weld": [0.9, 0.6], "burn_through": [0.1, 0.4]}
        ... )
        >>> test = select_split(predictions, "test")
        >>> test.labels.tolist(), test.predicted.tolist(), test.correct.tolist()
        ([0, 1], [0, 0], [True, False])
    """
    classes = class_names(predictions)
    chosen = predictions[predictions["split"] == split]
    number = {name: position for position, name in enumerate(classes)}
    return Predictions(
        classes=classes,
        labels=np.asarray(chosen["label"].map(number), np.int64),
        probabilities=chosen[list(classes)].to_numpy(dtype=np.float64),
        runs=chosen["run"].to_numpy(dtype=str),
        folds=np.full(len(chosen), fold, dtype=np.int64),
        rows=chosen["row"].to_numpy(dtype=np.int64),
        has_good=has_good,
    )


def concatenate(pieces: Sequence[Predictions]) -> Predictions:
    """Put the splits of several folds together, in their order; the classes are those of the first."""
    return Predictions(
        classes=pieces[0].classes,
        labels=np.concatenate([piece.labels for piece in pieces]),
        probabilities=np.concatenate([piece.probabilities for piece in pieces]),
        runs=np.concatenate([piece.runs for piece in pieces]),
        folds=np.concatenate([piece.folds for piece in pieces]),
        rows=np.concatenate([piece.rows for piece in pieces]),
        has_good=pieces[0].has_good,
    )


def read_predictions(path: Path | str) -> pd.DataFrame:
    """Read and check one predictions.csv.

    Returns:
        Columns `split_id`, `split`, `row`, `run`, `label`, then one per class, in label order, with its probability.

    Raises:
        InputError: The file is missing or damaged, a label is no class, or a row of probabilities does not sum to 1.
    """
    path = Path(path)
    try:
        # Only what is empty is absent: a class or a run may be called None or NA.
        predictions = pd.read_csv(path, dtype=_TEXT, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; evaluate that model and seed first") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: this is no table of predictions: {error}; evaluate again") from None
    problem = _problem(predictions)
    if problem:
        raise InputError(f"{path}: {problem}; delete the file and evaluate again")
    return predictions


def _problem(predictions: pd.DataFrame) -> str | None:
    if "part" in predictions:
        return "an older version of weldbench wrote this file; its column `part` is now `split`"
    missing = [column for column in FRAME_COLUMNS if column not in predictions]
    if missing:
        return f"the columns {', '.join(missing)} are missing"
    classes = list(class_names(predictions))
    if len(classes) < 2:
        return f"there are {len(classes)} columns of class probabilities, and at least 2 are needed"
    unknown = sorted(set(predictions["label"].dropna()) - set(classes))
    if unknown or predictions["label"].isna().any():
        return f"labels without a column of probabilities: {', '.join(unknown) or 'empty ones'}"
    if not all(pd.api.types.is_numeric_dtype(predictions[name]) for name in classes):
        return "a probability is no number"
    probabilities = predictions[classes].to_numpy(dtype=np.float64)
    if not np.isfinite(probabilities).all() or (probabilities < 0).any():
        return "a probability is negative, infinite or no number"
    if not np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-3):
        return "the probabilities of a frame do not sum to 1"
    if not (predictions["split"] == "test").any():
        return "there is no frame of the test split"
    return None
