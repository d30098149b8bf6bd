"""Making the classes of train weigh more alike; valid and test are never touched."""

import numpy as np
import pandas as pd

from weldbench.config.data import Split


def balance_train(train: pd.DataFrame, settings: Split, rng: np.random.Generator) -> pd.DataFrame:
    """Choose, repeat or weigh the frames of train.

    - none: every frame once, with weight 1.
    - undersample: at most `cap` frames of each class, chosen at random.
    - oversample: the frames of each class repeat until it has as many as the largest class: all of them equally
      often, and a random choice once more.
    - class_weights: every frame once, with the weight frames / (classes * frames of its class).

    Args:
        train: Columns row and label, one line per frame, in an order that does not depend on the row numbers.
        settings: The section `split`.
        rng: Source of the choice.

    Returns:
        Columns row and weight.
    """
    sizes = train["label"].value_counts()
    weight = pd.Series(1.0, index=train.index)
    if settings.balance == "class_weights":
        weight = len(train) / (len(sizes) * train["label"].map(sizes))
    weighted = train.assign(weight=weight)[["row", "weight"]]
    if settings.balance not in {"undersample", "oversample"}:
        return weighted
    chosen = []
    for label in sorted(sizes.index):
        places = np.flatnonzero(train["label"] == label)
        wanted = min(len(places), settings.cap) if settings.balance == "undersample" else int(sizes.max())
        repeats, rest = divmod(wanted, len(places))
        chosen += [np.tile(places, repeats), rng.choice(places, rest, replace=False)]
    return weighted.iloc[np.concatenate(chosen)]
