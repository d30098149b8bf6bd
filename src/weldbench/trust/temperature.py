"""Temperature scaling: one number that makes a network as sure as it should be, and never changes a class.

Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks": logits are divided by the temperature
that minimizes the log loss on valid. Of probabilities that is the same as to raise them to the power 1 / temperature
and to normalize them. Above 1 it makes a network less sure, below 1 surer.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar

from weldbench.evaluation.predictions import Predictions
from weldbench.trust.scaling import at_temperature, log_at_temperature

LOWEST, HIGHEST = 0.05, 20.0


def fit_temperature(valid: Predictions) -> float:
    """Return the temperature with the lowest log loss on valid, between 0.05 and 20.

    Raises:
        ValueError: There is no frame.
    """
    if not len(valid.labels):
        raise ValueError("no frame to fit a temperature to")
    every, said = np.arange(len(valid.labels)), valid.probabilities
    found = minimize_scalar(
        lambda log_t: -log_at_temperature(said, np.exp(log_t))[every, valid.labels].mean(),
        bounds=(np.log(LOWEST), np.log(HIGHEST)),
        method="bounded",
    )
    return float(np.exp(found.x))


def scaled(frames: Predictions, temperature: float) -> Predictions:
    """Return predictions at another temperature; the order of the classes stays that of each frame."""
    return replace(frames, probabilities=at_temperature(frames.probabilities, temperature))
