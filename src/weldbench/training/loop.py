"""The one training loop, for every network, device and number of processes."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from weldbench.config.models import Model
from weldbench.config.training import Hardware
from weldbench.errors import InputError
from weldbench.models.batch_norms import share_batch_norms
from weldbench.models.inference import ValidationScore
from weldbench.models.initialization import interpolate_weights
from weldbench.runtime.hardware import Fabric
from weldbench.runtime.seeding import Stream, seed_torch
from weldbench.training.batches import Batch
from weldbench.training.checkpoint import Checkpoint, optimizer_tensors, restore_optimizer
from weldbench.training.cuda_graph import GraphedStep
from weldbench.training.history import Epoch, Progress, State
from weldbench.training.losses import loss_per_frame
from weldbench.training.norms import learning_norms, measure_statistics
from weldbench.training.schedules import factor


@dataclass(frozen=True)
class TrainingData:
    """What a network learns from.

    Attributes:
        batches: Yields the batches of an epoch, always the same ones for the same epoch.
        steps: Batches per epoch.
        batch_size: Frames per step, over all processes.
        validate: Computes how good a network is; called after every epoch. None where there is nothing to check it on:
            the last epoch's weights are kept then.
        chooses: Whether what `validate` says chooses the weights that are kept, and when to stop.
        norm_inputs: Yields batches of inputs that the statistics of batch norms are measured on, float32, shape
            (B, ...), always the same ones; None leaves these as they are.
    """

    batches: Callable[[int], Iterator[Batch]]
    steps: int
    batch_size: int
    validate: Callable[[nn.Module], ValidationScore] | None = None
    chooses: bool = True
    norm_inputs: Callable[[], Iterator[torch.Tensor]] | None = None


def fit(
    fabric: Fabric,
    network: nn.Module,
    settings: Model,
    data: TrainingData,
    seed: int,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[Epoch], None] = lambda line: None,
    hardware: Hardware | None = None,
) -> Progress:
    """Train a network; its best weights by macro F1 on valid are in the result, or its last where valid cannot choose.

    Killed and called again with the same checkpoint it goes on after the last complete epoch, to the same bytes.

    Args:
        fabric: From `hardware.prepare`.
        network: With its starting weights; trained in place.
        settings: How to train: optimizer, schedule, loss, epochs.
        data: What to learn from.
        seed: Of all that is random in the network, such as dropout.
        checkpoint: Where to keep the state; None keeps none.
        on_epoch: Called with each line of the history, also with those of before a kill.
        hardware: Whether the network is compiled, and whether a GPU records its step; None: the defaults.

    Raises:
        InputError: The loss is not a number.
    """
    learner = _set_up(fabric, network, settings, hardware or Hardware())
    progress = Progress(data.chooses and data.validate is not None)
    if checkpoint:
        _restore(checkpoint, learner, progress)
    for line in progress.history:
        on_epoch(line)
    while not progress.is_over(settings):
        line, kept = _epoch(fabric, learner, settings, data, len(progress.history), seed)
        progress.note(line, lambda kept=kept: _copy(kept.state_dict()))  # type: ignore[misc]
        if checkpoint and fabric.is_global_zero:
            _save(checkpoint, learner, progress)
        on_epoch(line)
    return progress


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def train_step(
    fabric: Fabric, model: nn.Module, optimizer: torch.optim.Optimizer, settings: Model, batch: Batch
) -> torch.Tensor:
    """Do one step; return this process's share of the loss, float32, shape (), on its device."""
    loss = (loss_per_frame(settings, model(batch.inputs), batch.labels) * batch.shares).sum()
    # Several processes average their gradients, but the shares already sum to 1 over all of them.
    fabric.backward(loss * fabric.world_size if fabric.world_size > 1 else loss)
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def build_optimizer(network: nn.Module, settings: Model, device: torch.device) -> torch.optim.Optimizer:
    """Build SGD with Nesterov's momentum, or AdamW, for all weights that are not frozen; only matrices decay."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    fused, on_gpu = device.type in {"cpu", "cuda"}, device.type == "cuda"
    # A recorded step reads the rate where it lies on the GPU.
    rate = torch.tensor(settings.learning_rate, device=device) if on_gpu else settings.learning_rate
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=fused, capturable=on_gpu)
    return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum, nesterov=True, fused=fused)


@dataclass(frozen=True)
class _Learner:
    """A network and what makes it learn; `model` and `stepper` are what Fabric made of network and optimizer.

    `step` does a step on a batch, at the rate that `stepper` has.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    model: nn.Module
    stepper: torch.optim.Optimizer
    step: Callable[[Batch], torch.Tensor]
    average: AveragedModel | None
    start: State
    pretrained_share: float


def _set_up(fabric: Fabric, network: nn.Module, settings: Model, hardware: Hardware) -> _Learner:
    average = None
    if settings.ema_decay > 0:
        moving = get_ema_multi_avg_fn(settings.ema_decay)
        average = AveragedModel(network, fabric.device, multi_avg_fn=moving, use_buffers=True)
    optimizer = build_optimizer(network, settings, fabric.device)
    model = share_batch_norms(network) if fabric.world_size > 1 and fabric.device.type == "cuda" else network
    if hardware.compile:
        # Without max-autotune, which chooses kernels by their times: other kernels, and other bits, in every process.
        model = torch.compile(model)  # type: ignore[assignment]
    model, stepper = fabric.setup(model, optimizer)
    step: Callable[[Batch], torch.Tensor] = partial(train_step, fabric, model, stepper, settings)
    if hardware.cuda_graph and fabric.device.type == "cuda" and fabric.world_size == 1:
        step = GraphedStep(step)
    pretrained_share = settings.pretrained_share
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()} if pretrained_share else {}
    return _Learner(network, optimizer, model, stepper, step, average, start, pretrained_share)


def _kept(fabric: Fabric, learner: _Learner, data: TrainingData) -> nn.Module:
    """Return the network as it would be kept: the moving average, where there is one, drawn back towards the start.

    Its batch norms have the statistics of these weights.
    """
    kept = copy.deepcopy(learner.average.module if learner.average else learner.network)
    if learner.pretrained_share:
        kept.load_state_dict(interpolate_weights(kept.state_dict(), learner.start, learner.pretrained_share))
    if data.norm_inputs and learning_norms(kept):
        measure_statistics(fabric, kept, data.norm_inputs())
    return kept


def _epoch(
    fabric: Fabric, learner: _Learner, settings: Model, data: TrainingData, epoch: int, seed: int
) -> tuple[Epoch, nn.Module]:
    """Train for an epoch; return its line of the history, and the network as it would be kept."""
    seed_torch(Stream.DROPOUT, seed, epoch, fabric.global_rank)
    _to_training_mode(learner.model)
    started = time.perf_counter()
    total = torch.zeros((), device=fabric.device)
    step = epoch * data.steps
    for batch in data.batches(epoch):
        rate = settings.learning_rate * factor(settings, step, settings.epochs * data.steps)
        set_rate(learner.stepper, rate)
        total += learner.step(batch)
        if learner.average:
            learner.average.update_parameters(learner.network)
        step += 1
    train_loss = float(torch.as_tensor(fabric.all_reduce(total, reduce_op="sum"))) / data.steps
    seconds = time.perf_counter() - started
    if not math.isfinite(train_loss):
        raise InputError(
            f"the loss of {settings.name} is no longer a number in epoch {epoch + 1}; lower its learning_rate "
            f"({settings.learning_rate}) or raise its warmup ({settings.warmup}) in params.yaml"
        )
    kept = _kept(fabric, learner, data)
    # On CPUs each process has norms of its own, and so its own score; all have to keep and stop at the same epoch.
    score = fabric.broadcast(data.validate(kept) if data.validate else ValidationScore(math.nan, math.nan))
    speed, frames = data.steps * data.batch_size / seconds, step * data.batch_size
    return Epoch(epoch + 1, step, frames, rate, train_loss, score.loss, score.macro_f1, seconds, speed), kept


def _to_training_mode(model: nn.Module) -> None:
    """Switch to training mode, save what is frozen: norms there must go on using the statistics that they learned."""
    model.train()
    for module in model.modules():
        own = list(module.parameters())
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()


def _copy(state: State) -> State:
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}


def _save(checkpoint: Checkpoint, learner: _Learner, progress: Progress) -> None:
    groups = {
        "network": learner.network.state_dict(),
        "best": progress.best_state,
        "optimizer": optimizer_tensors(learner.optimizer),
        "average": learner.average.state_dict() if learner.average else {},
    }
    checkpoint.save(groups, {"history": list(map(asdict, progress.history)), "best_epoch": progress.best_epoch})


def _restore(checkpoint: Checkpoint, learner: _Learner, progress: Progress) -> None:
    found = checkpoint.load()
    if found is None:
        return
    groups, facts = found
    learner.network.load_state_dict(groups["network"])
    restore_optimizer(learner.optimizer, groups.get("optimizer", {}))
    if learner.average:
        learner.average.load_state_dict(groups["average"])
    progress.history = [Epoch(**line) for line in facts["history"]]
    progress.best_epoch, progress.best_state = facts["best_epoch"], groups["best"]
    progress.restored_epochs = len(progress.history)
