"""Random changes of training frames on the CPU, cheap beside the step of a small network.

Eight frames that stand together in a shuffled batch share one transform, which is nothing but lookups: the geometry in
the source pixels, the exposure in a table of 256 values, the noise in a random stretch of a table. numba makes one pass
over the pixels for all three; torch's own operations take twice as long. Amplitudes, where they are mixed, are those of
a frame of its own for each.
"""

from collections.abc import Callable

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from weldbench.config.training import Augment
from weldbench.data.normalization import Normalization
from weldbench.runtime.seeding import Stream, generator
from weldbench.training.augment import STAMP_HEIGHT, STAMP_WIDTH, AugmentParams, sample_params
from weldbench.training.fourier_mix import mix_amplitudes

# The threads that come with numba everywhere; those of OpenMP do not survive that a process forks.
numba.config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]
CPU_GROUP = 8
_NOISE_TABLE = 1 << 17  # values; small enough for a core's cache
_MIXED_AT_ONCE = 1 << 19  # pixels; their spectra stay in the caches
_LEVELS = np.arange(256) / 255.0


class CpuAugmentation:
    """Changes some of many frames on the CPU."""

    def __init__(self, frames: np.ndarray, augment: Augment, normalization: Normalization, seed: int):
        """Take all frames, uint8 of shape (N, S, S), and what seeds the noise."""
        self._frames, self._normalization = frames, normalization
        self._mixes = augment.mix_amplitudes > 0
        # A group reads a stretch of K * S * S values, which has to begin at a random place.
        length = max(_NOISE_TABLE, 2 * CPU_GROUP * frames[0].size)
        noise = generator(Stream.NOISE_TABLE, seed).standard_normal(length, np.float32)
        self._noise = noise * np.float32(augment.noise / normalization.std)
        self._compile(sample_params(augment, 0, generator(Stream.BATCHES, seed), CPU_GROUP))

    def __call__(self, which: np.ndarray, params: AugmentParams, result: np.ndarray) -> None:
        """Change and normalize groups of frames.

        Args:
            which: Frames of each group by number, int64, shape (G, K) with K at most CPU_GROUP.
            params: What chance decided for the G groups.
            result: Filled with the changed frames; float32, shape (G, K, S, S). Fresh memory for every batch would
                cost a small network more than all changes.
        """
        if not self._mixes:
            self._change(self._frames, which, params, result)
            return
        every = torch.from_numpy(self._frames)  # (N, S, S)
        # Frames are mixed g groups at a time, and changed as if those were all the frames that there are.
        at_once = max(1, _MIXED_AT_ONCE // (CPU_GROUP * self._frames[0].size))
        for first in range(0, len(which), at_once):
            some = slice(first, first + at_once)
            mine, taken = params.only(some), every[torch.from_numpy(which[some])]  # taken: (g, K, S, S)
            # Frames and others (g, K, S, S), shares (g, K) -> uint8 (g, K, S, S).
            mixed = mix_amplitudes(taken, mine.others(every), torch.from_numpy(mine.share)).numpy()
            numbers = np.arange(which[some].size).reshape(which[some].shape)  # (g, K): 0, 1, ..., each frame once
            self._change(mixed.reshape(-1, *mixed.shape[2:]), numbers, mine, result[some])  # (g * K, S, S)

    def _compile(self, nothing: AugmentParams) -> None:
        """Have the machine's code made, or read where an earlier process made it, before an epoch is timed."""
        side = self._frames.shape[1:]
        frames = np.empty((0, *side), np.uint8) if self._mixes else self._frames
        self._change(frames, np.empty((0, CPU_GROUP), int), nothing, np.empty((0, CPU_GROUP, *side), np.float32))

    def _change(self, frames: np.ndarray, which: np.ndarray, params: AugmentParams, result: np.ndarray) -> None:
        size, pixels = frames.shape[-1], np.prod(result.shape[1:])  # S, and the K * S * S values of a group
        most_threads: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        numba.set_num_threads(min(torch.get_num_threads(), most_threads))
        _look_up(
            frames,
            which,
            params.theta * np.float32(0.5 * size),  # (G, 2, 3), from [-1, 1] to half sides in pixels
            self._exposures(params),
            params.erase,
            (round(STAMP_HEIGHT * size), round(STAMP_WIDTH * size)),
            self._noise,
            # (G,): every stretch ends within the table.
            (params.noise * (len(self._noise) - pixels)).astype(np.int64),
            result,
        )

    def _exposures(self, params: AugmentParams) -> NDArray[np.float32]:
        """Return what the network sees of each of the 256 levels, float32, shape (G, 256)."""
        # 256 levels in a row, one row per group: (256,) with (G, 1) -> (G, 256); above white all is white.
        exposed = np.minimum(_LEVELS ** params.gamma[:, None] * params.gain[:, None], 1.0)
        seen: NDArray[np.float32] = ((exposed - self._normalization.mean) / self._normalization.std).astype(np.float32)
        return seen


def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    try:
        return numba.njit(parallel=True, cache=True)(function)
    except RuntimeError:  # neither beside this file nor in the user's folder can anything be kept
        return numba.njit(parallel=True)(function)


@_compiled
def _look_up(
    frames: NDArray[np.uint8],
    which: NDArray[np.int64],
    theta: NDArray[np.float32],
    exposures: NDArray[np.float32],
    erase: NDArray[np.bool_],
    stamp: tuple[int, int],
    noise: NDArray[np.float32],
    starts: NDArray[np.int64],
    result: NDArray[np.float32],
) -> None:
    """Fill `result`; the number of threads changes no bit of it.

    Args:
        frames: uint8, shape (N, S, S).
        which: Frames of each group by number, int64, shape (G, K).
        theta: From coordinates in [-1, 1] to source pixels on both sides of the middle, float32, shape (G, 2, 3).
        exposures: What the network sees of each level, float32, shape (G, 256).
        erase: Whether the corner of the time stamp is blanked, bool, shape (G,).
        stamp: Height and width of that corner in pixels.
        noise: float32, one dimension.
        starts: Where in `noise` that of a group begins, int64, shape (G,).
        result: float32, shape (G, K, S, S).
    """
    size = frames.shape[-1]
    middle, last = np.float32(0.5 * size), np.float32(size - 1)
    # (S,): the middles of the pixels, in [-1, 1], for columns and rows alike.
    axis = (np.float32(2) * np.arange(size).astype(np.float32) + np.float32(1)) / np.float32(size) - np.float32(1)
    for group in numba.prange(len(which)):
        # From -1 ... 1 to 0 ... S, where truncation is the nearest pixel, as pixel i covers i ... i + 1. Beyond the
        # border it is the border's.
        place = theta[group]  # (2, 3): source column and row from (column, row, 1)
        source = np.empty((size, size), np.uint32)  # which pixel of the frame, as row * S + column, each pixel takes
        for row in range(size):
            # What a row adds is the same in all of its columns.
            across = place[0, 1] * axis[row] + (place[0, 2] + middle)
            down = place[1, 1] * axis[row] + (place[1, 2] + middle)
            of_row = source[row]
            for column in range(size):
                source_column = np.int32(min(max(place[0, 0] * axis[column] + across, np.float32(0)), last))
                source_row = np.int32(min(max(place[1, 0] * axis[column] + down, np.float32(0)), last))
                of_row[column] = source_row * np.int32(size) + source_column
        sources, exposed = source.reshape(-1), exposures[group]  # (S * S,), (256,)
        for number in range(which.shape[1]):
            frame = frames[which[group, number]].copy()  # (S, S); the original is blanked nowhere
            if erase[group]:
                frame[: stamp[0], : stamp[1]] = 0
            pixels, changed = frame.reshape(-1), result[group, number].reshape(-1)  # (S * S,), views
            # Each frame of a group has its own stretch of noise, behind that of the one before.
            first = starts[group] + number * changed.size
            added = noise[first : first + changed.size]
            for pixel in range(changed.size):
                changed[pixel] = exposed[pixels[sources[pixel]]] + added[pixel]
