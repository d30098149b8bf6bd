"""The field's numbers for a classifier, from true classes and class probabilities."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, matthews_corrcoef
from sklearn.metrics import roc_auc_score as area_under_curve

from weldbench.evaluation.confusion import confusion_matrix, f1, macro, recall, weighted
from weldbench.evaluation.predictions import Predictions, select_split

CALIBRATION_BINS = 15


def average_precision(frames: Predictions) -> np.ndarray:
    """Area under each class's precision-recall curve as a step function, shape (K,); NaN for a class without frames."""
    return np.array(
        [
            average_precision_score(frames.labels == number, frames.probabilities[:, number])
            if (frames.labels == number).any()
            else np.nan
            for number in range(len(frames.classes))
        ]
    )


def calibration_bins(frames: Predictions, bin_count: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Bin frames by the probability of the predicted class into bins of equal width.

    Returns:
        One row per bin that holds frames: `confidence` and `accuracy` (means), `frames`.
    """
    confidence = frames.probabilities.max(axis=1)
    bins = np.clip(np.ceil(confidence * bin_count).astype(int) - 1, 0, bin_count - 1)
    table = pd.DataFrame({"bin": bins, "confidence": confidence, "accuracy": frames.correct.astype(float)})
    grouped = table.groupby("bin")
    return grouped.mean().assign(frames=grouped.size()).reset_index(drop=True)


def expected_calibration_error(frames: Predictions, bin_count: int = CALIBRATION_BINS) -> float:
    """Mean distance of confidence from accuracy over bins, weighted by frames (Guo et al. 2017, equation 3)."""
    bins = calibration_bins(frames, bin_count)
    return float(((bins["accuracy"] - bins["confidence"]).abs() * bins["frames"]).sum() / bins["frames"].sum())


def defect_auc(frames: Predictions) -> float:
    """Area under the ROC curve of 1 - P(good) for good against all defects; NaN where one has no frames."""
    defect = frames.labels != 0
    if not frames.has_good or defect.all() or not defect.any():
        return float("nan")
    return float(area_under_curve(defect, 1.0 - frames.probabilities[:, 0]))


def scalar_metrics(frames: Predictions) -> dict[str, float]:
    """Compute every single-number metric; one that is undefined for these frames is NaN.

    Macro averages and the balanced accuracy run over the classes that have frames. The Brier score is Brier's own
    (1950): the squared distance summed over classes, between 0 and 2.
    """
    class_count = len(frames.classes)
    confusion = confusion_matrix(frames.labels, frames.predicted, class_count)
    support = confusion.sum(axis=1)
    with warnings.catch_warnings():
        # Of a test set of one class, all of it right, sklearn warns; kappa is NaN then.
        warnings.simplefilter("ignore")
        kappa = cohen_kappa_score(frames.labels, frames.predicted, labels=range(class_count))
        matthews = matthews_corrcoef(frames.labels, frames.predicted)
    totals = {
        "macro_f1": macro(f1(confusion)),
        "weighted_f1": weighted(f1(confusion), support),
        "accuracy": frames.correct.mean(),
        "balanced_accuracy": macro(recall(confusion)),
        "cohen_kappa": kappa,
        "matthews_correlation": matthews,
        "defect_roc_auc": defect_auc(frames),
        "expected_calibration_error": expected_calibration_error(frames),
        "brier_score": brier_score_loss(
            frames.labels, _normalized(frames.probabilities), labels=range(class_count), scale_by_half=False
        ),
    }
    per_class = {f"f1_{name}": score for name, score in zip(frames.classes, f1(confusion), strict=True)}
    return {name: float(value) for name, value in {**totals, **per_class}.items()}


def metrics_on_test(predictions: pd.DataFrame, has_good: bool = True) -> dict[str, float]:
    """Compute the scalar metrics on the test split of a table of predictions; those that are undefined are left out.

    Args:
        predictions: Columns `split`, `row`, `run`, `label`, and one per class with its probability.
        has_good: Whether the first class is that of good welds.
    """
    metrics = scalar_metrics(select_split(predictions, "test", has_good=has_good))
    return {name: value for name, value in metrics.items() if not np.isnan(value)}


def _normalized(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo the rounding of a file of decimals, which scikit-learn would refuse."""
    normalized: NDArray[np.float64] = probabilities / probabilities.sum(axis=1, keepdims=True)
    return normalized
