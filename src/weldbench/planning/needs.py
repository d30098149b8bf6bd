"""How much disk and memory the run of a dataset takes, without loading what computes."""

from weldbench.config import Params
from weldbench.config.models import EfficientNetLite, Model
from weldbench.planning.dataset_size import DatasetSize

_LIBRARIES_BYTES = 1.1e9  # of a process with torch that trains: measured with weldsim
MODEL_BYTES = 45e6  # of one training: the weights of ResNet-18, more than those of the smaller networks
_WIDTHS = (1280, 320, 192)  # numbers per frame and size of EfficientNet-Lite0's last stage, the one before, and so on
_SCORED_BYTES = 3e6  # predictions, figures and tables of one training


def frames_bytes(params: Params, size: DatasetSize) -> int:
    """Size of frames.npy."""
    return int(size.frames * params.ingest.frame_size_px**2)


def features_bytes(params: Params, size: DatasetSize, model: Model) -> int:
    """Size of the features of a frozen backbone: of all frames, of the training frames' views, of simulated ones."""
    vectors = size.frames + model.augment_views * size.learned_frames(params.split, model) + model.simulated_frames
    return int(4 * vectors * numbers_per_frame(model))


def numbers_per_frame(model: Model) -> int:
    """How many numbers a frozen backbone says about a frame; of other networks about as many as of this one's end."""
    if isinstance(model, EfficientNetLite):
        return (1 + len(model.other_sizes_px)) * sum(_WIDTHS[: model.feature_stages])
    return _WIDTHS[0]


def disk_bytes(params: Params, size: DatasetSize) -> int:
    """Space that a whole run takes; twice what it writes, as DVC keeps a copy of all that it tracks.

    On a file system that clones files (btrfs, XFS) the copies take nothing.
    """
    trainings = len(params.trained_models) * len(params.folds) * len(params.seeds)
    written = size.archive_bytes + frames_bytes(params, size) + trainings * (MODEL_BYTES + _SCORED_BYTES)
    written += sum(features_bytes(params, size, params.models[name]) for name in params.features.models)
    return int(2 * written)


def training_bytes(params: Params, size: DatasetSize, model: Model) -> int:
    """Memory of one training on a CPU: the libraries, the frames of train and valid, the batches prepared ahead."""
    frames = size.learned_frames(params.split, model) + size.splits(params.split)["valid"]
    return int(_LIBRARIES_BYTES + frames * model.input_size_px**2 + 2 * model.batch_size * model.input_size_px**2 * 4)


def memory_bytes(params: Params, size: DatasetSize) -> int:
    """Memory of the largest stage: the audit of the split, which maps all frames, or a training."""
    trainings = [training_bytes(params, size, params.models[name]) for name in params.trained_models]
    return int(max([_LIBRARIES_BYTES / 2 + frames_bytes(params, size), *trainings]))
