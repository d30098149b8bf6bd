"""Temperature scaling: one number that makes a network as sure as it should be, and never changes a class.

Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks": logits are divided by the temperature
that minimizes the log loss on valid. Of probabilities that is the same as to raise them to the power 1 / temperature
and to normalize them. Above 1 it makes a network less sure, below 1 surer.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from weldbench.evaluation.predictions import Predictions

LOWEST, HIGHEST = 0.05, 20.0
SMALLEST = 1e-8  # what predictions.csv rounds to 0 is taken for this


def fit_temperature(valid: Predictions) -> float:
    """Return the temperature with the lowest log loss on valid, between 0.05 and 20.

    Raises:
        ValueError: There is no frame.
    """
    if not len(valid.labels):
        raise ValueError("no frame to fit a temperature to")
    found = minimize_scalar(
        lambda log_t: -_log_probabilities(valid, np.exp(log_t))[np.arange(len(valid.labels)), valid.labels].mean(),
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
    )
    return float(np.exp(found.x))


def scaled(frames: Predictions, temperature: float) -> Predictions:
    """Return predictions at another temperature; the order of the classes stays that of each frame.

    Example:
        >>> zeros, said = np.zeros(1, np.int64), np.array([[0.8, 0.2]])
        >>> frames = Predictions(("good", "bad"), zeros, said, np.array(["run"]), zeros, zeros)
        >>> scaled(frames, 2.0).probabilities.round(3).tolist()  # 2 to 1, the root of 4 to 1
        [[0.667, 0.333]]
    """
    return replace(frames, probabilities=np.exp(_log_probabilities(frames, temperature)))


def _log_probabilities(frames: Predictions, temperature: float) -> NDArray[np.float64]:
    logits = np.log(np.maximum(frames.probabilities, SMALLEST))
    return np.asarray(log_softmax(logits / temperature, axis=1))
