"""Whether the data is enough: for valid to choose weights, and for what a comparison is meant to tell."""

import numpy as np

_RUNS_TO_CHOOSE = 2  # of a class in valid: with a single one, its score is that of one recording


def can_choose(
    train_labels: np.ndarray, valid_labels: np.ndarray, valid_runs: np.ndarray, class_count: int
) -> list[str]:
    """Tell whether scores on valid can choose the weights of a training.

    They can if valid holds every class of train, and at least two runs of most classes (more than half): scores on
    the near copies of one recording say which weights suit that recording.

    Args:
        train_labels: Class of each frame of train, int, shape (N,), from 0 to class_count - 1.
        valid_labels: Class of each frame of valid, int, shape (M,).
        valid_runs: Run of each frame of valid, names or numbers, shape (M,).
        class_count: Number of classes, with or without frames.

    Returns:
        Reasons why valid cannot choose, each a clause that can follow a colon; empty if it can.

    Example:
        >>> can_choose(np.array([0, 1]), np.array([0, 0, 1]), np.array(["a", "b", "c"]), class_count=2)
        ['valid has 2 runs or more of only 1 of the 2 classes']
    """
    in_train = np.bincount(train_labels, minlength=class_count) > 0
    in_valid = np.bincount(valid_labels, minlength=class_count) > 0
    run_numbers = np.unique(valid_runs, return_inverse=True)[1]
    labels_of_runs = np.unique(np.stack([valid_labels, run_numbers]), axis=1)[0]
    enough = int((np.bincount(labels_of_runs, minlength=class_count) >= _RUNS_TO_CHOOSE).sum())
    reasons = []
    if missing := int((in_train & ~in_valid).sum()):
        reasons.append(f"valid holds no frame of {missing} of the {int(in_train.sum())} classes of train")
    if 2 * enough <= class_count:
        classes = f"only {enough} of the {class_count} classes" if enough else "no class"
        reasons.append(f"valid has {_RUNS_TO_CHOOSE} runs or more of {classes}")
    return reasons
