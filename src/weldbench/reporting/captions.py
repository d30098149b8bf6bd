"""What each figure shows: its caption, and the text for those who cannot see it."""

from typing import NamedTuple


class Caption(NamedTuple):
    """Words about a figure; `{model}` stands for the name of its model."""

    caption: str
    alt: str


FIGURE_CAPTIONS = {
    "classes": Caption(
        "Figure 1. One frame per class.",
        "A grid of camera frames, one for each class, titled with the name of the class.",
    ),
    "class_distribution": Caption(
        "Figure 2. Class distribution of test.",
        "Horizontal bars: the number of test frames of each class; Table 1 has the numbers.",
    ),
    "learning_curves": Caption(
        "Learning curves: loss and macro F1 over epochs, the mean over trainings and their range.",
        "Two panels of lines over epochs, one color per model: loss on train and valid, and macro F1 on valid.",
    ),
    "macro_f1": Caption(
        "Macro F1 of every model with its interval, its seeds as dots, on both test sets; published values as circles.",
        "For each model a diamond at its macro F1 with a line for the interval; Table 3 has the numbers.",
    ),
    "reliability": Caption(
        "Reliability: how often a model is right when it says how sure it is, the frames of all seeds together.",
        "Lines of the share of right frames over confidence, one per model, beside the diagonal of a calibrated model.",
    ),
    "precision_recall": Caption(
        "Precision against recall of each class, the frames of all seeds together.",
        "A panel for each class with a precision-recall curve per model; Table 2 has the seeds' average precisions.",
    ),
    "cost": Caption(
        "Macro F1 against what it costs: seconds to train, parameters, and time to judge a frame.",
        "Three panels of points, one per model: macro F1 over seconds of training, parameters, ms of inference.",
    ),
    "confusion": Caption(
        "Confusion matrix of {model}: shares of each true class, and frames.",
        "Two square grids for {model}, true classes by predicted classes: shares on the left, frames on the right.",
    ),
    "runs": Caption(
        "What {model} says along the test runs.",
        "A colored strip for each test run of {model}: the true class above the predicted class of every frame.",
    ),
    "errors": Caption(
        "The errors that {model} was surest of.",
        "Camera frames that {model} got wrong with high confidence, each with its true and its predicted class.",
    ),
    "explain": Caption(
        "What drove {model}'s decisions on right and wrong frames of each class.",
        "Camera frames of each class overlaid with the regions that drove the decision of {model}.",
    ),
}
