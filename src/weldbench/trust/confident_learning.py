"""Confident learning: which labels are probably wrong, and how many (Northcutt, Jiang and Chuang 2021).

C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating uncertainty in dataset labels", Journal of
Artificial Intelligence Research 70. The package of its authors, cleanlab, has the license AGPL-3.0, which would bind
everybody who passes weldbench on or lets others use it over a network; these are the few formulas of it that are used
here. `tests/unit/test_confident_learning.py` holds them against what cleanlab computed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Confident:
    """What confident learning says about examples.

    Attributes:
        thresholds: Of each class, shape (K,): the mean probability of the class among the examples so labeled; NaN
            where there are none.
        labels: The confident class of each example, int64, shape (N,); -1 where no class reaches its threshold.
        joint: Examples by given label and confident class, int64, shape (K, K).
        given: Examples by given label, int64, shape (K,).
    """

    thresholds: FloatArray
    labels: IntArray
    joint: IntArray
    given: IntArray

    @property
    def wrong_share(self) -> float:
        """The share of wrong labels: off the diagonal of the joint, calibrated to the number of examples per label."""
        return float(1 - np.trace(self.calibrated_joint))

    @property
    def calibrated_joint(self) -> FloatArray:
        """The joint distribution of given and true labels, shape (K, K), which sums to 1."""
        sums = self.joint.sum(axis=1, keepdims=True)
        # A label of which no example is confident is taken for right.
        shares = np.where(sums > 0, self.joint / np.maximum(sums, 1), np.eye(len(self.joint)))
        calibrated: FloatArray = shares * self.given[:, None] / self.given.sum()
        return calibrated


def confident_learning(probabilities: FloatArray, given: IntArray) -> Confident:
    """Find the confident class of each example, and count the confident joint.

    An example is confidently of a class where its probability reaches the class's threshold; of several such classes it
    is of the most probable one.

    Args:
        probabilities: Out of sample, shape (N, K).
        given: Labels, int64, shape (N,).
    """
    classes = probabilities.shape[1]
    counts = np.bincount(given, minlength=classes)
    own = np.bincount(given, probabilities[np.arange(len(given)), given], minlength=classes)
    thresholds = np.where(counts > 0, own / np.maximum(counts, 1), np.nan)
    # A mean of equal numbers may round to above them.
    reaches = probabilities >= thresholds - 1e-9
    labels = np.where(reaches.any(axis=1), np.where(reaches, probabilities, -1.0).argmax(axis=1), -1)
    sure = labels >= 0
    joint = np.bincount(given[sure] * classes + labels[sure], minlength=classes**2).reshape(classes, classes)
    return Confident(thresholds, labels.astype(np.int64), joint, counts)
