"""What follows from counts of frames by true and predicted class: precision, recall, F1, their averages.

All functions take a stack of confusion matrices, shape (..., K, K), rows true, columns predicted: the tables use one
matrix, the bootstrap ten thousand, and both use the same lines. Only numpy is needed, so that a training starts fast.
"""

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, class_count: int) -> np.ndarray:
    """Count frames by true and predicted class.

    Args:
        labels: True class of each frame, int64, shape (N,).
        predicted: What each frame is called, int64, shape (N,).
        class_count: Number of classes, K.

    Returns:
        int64, shape (K, K), rows true, columns predicted.
    """
    counts = np.bincount(labels * class_count + predicted, minlength=class_count * class_count)
    return counts.reshape(class_count, class_count)


def precision(confusion: np.ndarray) -> np.ndarray:
    """Share of the frames called a class that are of it, shape (..., K).

    A class that is never predicted has NaN; so has a class without frames, whatever was predicted.
    """
    scores = _ratio(_diagonal(confusion), confusion.sum(axis=-2))
    return np.where(confusion.sum(axis=-1) > 0, scores, np.nan)


def recall(confusion: np.ndarray) -> np.ndarray:
    """Share of a class's frames that are called so, shape (..., K); NaN where the class has no frames."""
    return _ratio(_diagonal(confusion), confusion.sum(axis=-1))


def f1(confusion: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN), shape (..., K).

    A class that is never predicted has F1 0; a class without frames has NaN, whatever was predicted.

    Example:
        >>> f1(np.array([[8, 2, 0], [4, 6, 0], [0, 0, 0]])).round(3).tolist()
        [0.727, 0.667, nan]
    """
    support = confusion.sum(axis=-1)
    scores = _ratio(2.0 * _diagonal(confusion), support + confusion.sum(axis=-2))
    return np.where(support > 0, scores, np.nan)


def macro(per_class: np.ndarray) -> np.ndarray:
    """Average over the classes that have frames (those that are not NaN), shape (...,).

    Example:
        >>> float(macro(np.array([0.5, 1.0, np.nan])))
        0.75
    """
    present = ~np.isnan(per_class)
    return _ratio(np.where(present, per_class, 0.0).sum(axis=-1), present.sum(axis=-1))


def weighted(per_class: np.ndarray, support: np.ndarray) -> float:
    """Average over classes, shape (K,), each weighted by its number of frames, shape (K,); NaN counts as 0."""
    return float(_ratio((np.nan_to_num(per_class) * support).sum(), support.sum()))


def _diagonal(confusion: np.ndarray) -> np.ndarray:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> NDArray[np.float64]:
    numerator, denominator = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    ratio = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio
