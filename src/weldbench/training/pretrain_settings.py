"""How a network is pretrained: its own architecture, all else from section `pretrain`."""

from weldbench.config.models import Model
from weldbench.config.training import Pretrain

_ROUNDS = 10  # at most; after each one a checkpoint


def backbone_settings(model: Model, pretrain: Pretrain) -> Model:
    """Return a network's settings for pretraining: its own architecture, all else from section `pretrain` alone."""
    return Model.model_validate(
        {
            "name": model.name,
            "architecture": model.architecture,
            "init": "scratch",
            "input_size_px": pretrain.input_size_px,
            "batch_size": pretrain.batch_size,
            "optimizer": pretrain.optimizer,
            "learning_rate": pretrain.learning_rate,
            "epochs": max(rounds for rounds in range(1, _ROUNDS + 1) if pretrain.steps % rounds == 0),
        }
    )
