"""The statistics of batch norms, measured on the training frames as they stand."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from weldbench.runtime.hardware import Fabric

MEASURED_FRAMES = 1024  # Wu and Johnson 2021, "Rethinking 'Batch' in BatchNorm", find 1,000 to 10,000 to be enough


def learning_norms(network: nn.Module) -> list[_BatchNorm]:
    """List the batch norms that learn; frozen ones go on using the statistics that they came with."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    return [norm for norm in norms if norm.weight is None or norm.weight.requires_grad]


@torch.no_grad()
def measure_statistics(fabric: Fabric, network: nn.Module, inputs: Iterable[torch.Tensor]) -> None:
    """Replace the moving averages by the means over batches of the mean and the variance of what norms are given.

    Moving averages lag behind the weights, hold what they started from after a short training, are not those of
    weights that were averaged, and are of augmented frames, while a camera's have no border and no other exposure.
    `torch.optim.swa_utils.update_bn` does the same, but to frozen norms too, and with dropout.

    Args:
        fabric: Its device holds the network, its precision is used.
        network: Left in evaluation mode.
        inputs: Batches, float32, shape (B, ...).
    """
    network.eval()
    norms = learning_norms(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # averages over all batches alike
        norm.train()
    for batch in inputs:
        with fabric.autocast():
            network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
