"""Batch norms of a network that learns in several processes."""

from torch import nn


def share_batch_norms(network: nn.Module) -> nn.Module:
    """Let the batch norms of a network measure the frames of all processes together, each a GPU; changed in place."""
    # torch's own function would drop the activations that timm's networks have inside their norms.
    from timm.layers.norm_act import convert_sync_batchnorm

    shared: nn.Module = convert_sync_batchnorm(network)
    return shared
