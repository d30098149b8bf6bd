"""Simulated frames by the batch, rendered ahead in processes that start fast, as importing this imports no torch."""

import multiprocessing
import os
from collections.abc import Iterator
from functools import partial

import numpy as np

from weldbench.config.training import Pretrain
from weldbench.runtime.parallel import ordered_map
from weldbench.runtime.processor import usable_cores
from weldbench.weldsim import render_batch

Rendered = tuple[np.ndarray, np.ndarray]


def render_ahead(pretrain: Pretrain, numbers: range) -> Iterator[Rendered]:
    """Yield batches by their numbers; each depends on the seed and its number alone.

    Args:
        pretrain: The section `pretrain`: seed, size, frames per batch, number of processes.
        numbers: Of the batches.

    Yields:
        Frames, uint8, shape (B, S, S), and labels, int64, shape (B,).
    """
    tasks = ((pretrain.seed, number) for number in numbers)
    render = partial(_render, pretrain.batch_size, pretrain.input_size_px)
    workers = pretrain.workers or usable_cores()
    return ordered_map(render, tasks, workers, "lower pretrain.workers or free some memory", _give_way)


def _render(frames: int, side_px: int, task: tuple[int, int]) -> Rendered:
    return render_batch(task, frames, side_px)


def _give_way() -> None:
    # A step of several threads waits for the slowest; renderers that took its cores would stall it many times over.
    if multiprocessing.parent_process() is not None:
        os.nice(19)
