"""Every random stream of the project in one place: its name, what it decides, and which numbers seed it.

Nothing else in the library makes a generator. A stream's numbers are its seed from params.yaml first, then what tells
its draws apart (fold, epoch, ...). The name of a stream is not part of its seed: two streams of the same numbers draw
the same values, which is harmless where they decide unrelated things, and keeps the results of earlier versions. A 0 at
the end changes nothing: (7,) and (7, 0) draw the same, so one stream always takes the same number of numbers.
"""

from enum import Enum

import numpy as np


class Stream(Enum):
    """A random stream; its value says what it decides, and in brackets the numbers that seed it."""

    SPLIT = "which split each run or frame goes to (split.seed)"
    BALANCE = "which frames of train undersampling keeps and oversampling repeats once more (split.seed, fold)"
    TRAIN_SHARE = "which runs of train stand in a share of them (split.seed, fold, 1)"
    INITIAL_WEIGHTS = "the weights a network starts from, and a fresh last layer (seed)"
    SHUFFLE = "the order of the frames in a pass over all of them (seed, pass, 1)"
    BATCHES = "how each frame of an epoch is augmented (seed, epoch)"
    NOISE_TABLE = "the sensor noise that augmentation on a CPU adds (seed)"
    DROPOUT = "what a network leaves out, and the noise that augmentation on a GPU adds (seed, epoch, process)"
    VIEWS = "how the views of frames for a frozen backbone are augmented (chunk of frames)"
    PROBE_FOLDS = "which runs are left out together when the penalty of a last layer is chosen (seed)"
    PRETRAINING_WEIGHTS = "the weights that pretraining starts from (pretrain.seed)"
    REVIEW_FOLDS = "which runs are left out together when labels are reviewed (split.seed, repeat)"
    SIMULATED_FRAMES = "unrelated simulated frames, such as a batch of pretraining (pretrain.seed, batch)"
    SIMULATED_WELD = "the setup of a simulated run (datasets.NAME.seed, run, 2)"
    SIMULATED_PROCESS = "the process parameters of a simulated run (datasets.NAME.seed, run, 1)"
    SIMULATED_DEFECT = "a defect in a stretch of a simulated run (datasets.NAME.seed, run, 2, class, stretch)"
    SURFACE_TEXTURES = "the textures of simulated steel, the same in every dataset (fixed)"
    CAMERA_NOISE = "the noise that a change of the camera adds to a test frame (frame, 1)"
    CAMERA_DIRT = "where dirt lies on the lens of a changed camera, the same for all frames (fixed)"
    DRIFT_LIMITS = "the welds that set the limits of a drift check (numbers of a chart, runs, 1; share of a class, 2)"
    BOOTSTRAP = "which test runs a resample holds (compare.seed)"
    NO_WELDS = "frames without a weld, which an export should call unknown (0, kind, number, 1)"


def generator(stream: Stream, *numbers: int) -> np.random.Generator:
    """Make the generator of a stream.

    Args:
        stream: What the generator will decide; for the reader, as it does not change what is drawn.
        numbers: 0 or larger; the seed, then fold, epoch and so on, as the stream's value says.

    Raises:
        ValueError: A number is negative.

    >>> generator(Stream.BATCHES, 7, 0).integers(100, size=3).tolist()
    [94, 62, 68]
    """
    return np.random.default_rng(numbers)


def seed_torch(stream: Stream, *numbers: int) -> None:
    """Seed torch's own generators, on every device, for a stream: the same numbers, the same draws.

    Args:
        stream: What torch will draw next.
        numbers: As in `generator`.
    """
    import torch  # late: what renders frames in many processes needs no torch

    if len(numbers) > 1:
        # torch takes one number.
        numbers = (int(np.random.SeedSequence(numbers).generate_state(1)[0]),)
    torch.manual_seed(numbers[0])
