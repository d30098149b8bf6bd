"""Probabilities at another temperature, as `trust/temperature.py` fits it; plain numpy, for a factory too."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-8  # what predictions.csv rounds to 0 is taken for this


def at_temperature(probabilities: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Return probabilities at another temperature; the order of the classes stays that of each frame.

    Args:
        probabilities: Shape (N, K); of each frame they sum to 1.
        temperature: Above 1 makes a network less sure, below 1 surer.

    Returns:
        float64, shape (N, K).

    Example:
        >>> at_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()  # 2 to 1, the root of 4 to 1
        [[0.667, 0.333]]
    """
    return np.exp(log_at_temperature(probabilities, temperature))


def log_at_temperature(probabilities: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Return the natural logarithms of `at_temperature`."""
    scaled = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST)) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    logs: NDArray[np.float64] = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return logs
