"""What a network minimizes, and how much each frame counts in it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from weldbench.config.models import Model


def loss_per_frame(settings: Model, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Compute the loss of each frame in float32.

    Focal loss is (1 - p)^gamma times the cross entropy, p the probability of the true class (Lin et al. 2017, eq. 4).

    Args:
        settings: Of the model: `loss`, `focal_gamma`, `label_smoothing`.
        logits: Shape (B, K).
        labels: int64, shape (B,).

    Returns:
        float32, shape (B,).

    Example:
        >>> from weldbench.config.models import FullCon6
        >>> settings = FullCon6(architecture="full_con6", input_size_px=8, epochs=1, learning_rate=0.01)
        >>> loss_per_frame(settings, torch.tensor([[0.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1]))
        tensor([0.6931, 0.1269])
    """
    logits = logits.float()
    entropy = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=settings.label_smoothing)
    if settings.loss == "cross_entropy":
        return entropy
    probability = functional.softmax(logits, dim=1).gather(1, labels.unsqueeze(1)).squeeze(1)
    # At 0 the slope of a power below 1 is infinite.
    return (1.0 - probability).clamp_min(1e-12) ** settings.focal_gamma * entropy


def class_weights(settings: Model, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the weight of each class from its number of training frames; averaged over frames it is 1.

    - balanced: proportional to 1 / n.
    - effective_number: proportional to (1 - beta) / (1 - beta^n) (Cui et al. 2019, equation 2).

    Args:
        settings: Of the model: `class_weights`, `effective_beta`.
        counts: Training frames per class, all above 0, shape (K,).

    Returns:
        float64, shape (K,).

    Example:
        >>> from weldbench.config.models import FullCon6
        >>> settings = FullCon6(
        ...     architecture="full_con6", input_size_px=8, epochs=1, learning_rate=0.01, class_weights="balanced"
        ... )
        >>> class_weights(settings, np.array([30, 10])).round(3).tolist()
        [0.667, 2.0]
    """
    frames = np.asarray(counts, np.float64)
    match settings.class_weights:
        case "none":
            weights = np.ones_like(frames)
        case "balanced":
            weights = 1.0 / frames
        case "effective_number":
            beta = settings.effective_beta
            weights = (1.0 - beta) / (1.0 - beta**frames)
    averaged: NDArray[np.float64] = weights * frames.sum() / (weights * frames).sum()
    return averaged
