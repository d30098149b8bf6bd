"""The figure of learning curves shows every training, also one of a single epoch."""

import pandas as pd
import pytest

from weldbench.evaluation.training_records import Trainings
from weldbench.reporting.figures.training import learning_curves


@pytest.mark.parametrize(("epochs", "marker"), [(1, "o"), (3, "None")])
def test_a_training_of_one_epoch_is_a_point(epochs: int, marker: str) -> None:
    scores = {"train_loss": 0.5, "valid_loss": 0.6, "valid_macro_f1": 0.7}
    history = pd.DataFrame([{"model": "head", "epoch": epoch + 1, **scores} for epoch in range(epochs)])
    figure = learning_curves(Trainings(history, pd.DataFrame(), {}, pd.DataFrame()))
    loss, score = figure.axes
    assert [line.get_marker() for line in (*loss.lines, *score.lines)] == [marker] * 3
    assert all(tick == int(tick) for tick in score.get_xticks())
