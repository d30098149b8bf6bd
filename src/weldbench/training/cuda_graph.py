"""A training step on a GPU, recorded once as a CUDA graph and replayed for every batch.

A GPU does a step on a small batch in less time than Python takes to launch its kernels one by one. A graph launches
them all at once. They are the same kernels in the same order, so the weights get the same bits.
"""

from collections.abc import Callable

import torch

from weldbench.training.batches import Batch

_STEPS_BEFORE = 3  # cuDNN and cuBLAS choose their kernels, the optimizer makes its state; all must be there to record


class GraphedStep:
    """Does the first steps one kernel at a time, records one, and replays it from there on.

    Args:
        step: Does a whole step, whose learning rate lies in a tensor; returns the loss, float32, shape (). It must
            launch the same kernels for every batch: batches have one shape.
    """

    def __init__(self, step: Callable[[Batch], torch.Tensor]) -> None:
        self._step = step
        self._done = 0
        self._stream = torch.cuda.Stream()
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, batch: Batch) -> torch.Tensor:
        """Do a step; the loss that is returned is overwritten by the next one."""
        if self._done < _STEPS_BEFORE:
            self._done += 1
            return self._step_beside(batch)
        if self._graph is None:
            self._record(batch)
        for held, given in zip(self._batch, batch, strict=True):
            held.copy_(given, non_blocking=True)
        self._graph.replay()  # type: ignore[union-attr]
        return self._loss

    def _step_beside(self, batch: Batch) -> torch.Tensor:
        """Do a step on another stream than the default one, where nothing can be recorded."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            loss = self._step(batch)
        torch.cuda.current_stream().wait_stream(self._stream)
        return loss

    def _record(self, batch: Batch) -> None:
        self._batch = Batch(*(given.clone() for given in batch))
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=self._stream):
            self._loss = self._step(self._batch)
