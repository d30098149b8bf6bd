"""Random changes of training frames on the CPU, cheap beside the step of a small network.

One pass over the pixels of a frame looks up the nearest source pixel, its exposure in a table of 256 values, and the
noise in a random stretch of a table. numba compiles it; the same made of torch's operations takes twice as long, though
eight frames then share one transform.
"""

import numba
import numpy as np
import torch
from numba import float32, int32

from weldbench.amplitudes import mix_amplitudes
from weldbench.augment import STAMP_HEIGHT, STAMP_WIDTH, Draws, Normalisation
from weldbench.config.training import Augment

# The threads that come with numba everywhere; those of OpenMP do not survive that a process forks.
numba.config.THREADING_LAYER = "workqueue"
_NOISE_TABLE = 1 << 17  # values; small enough for a core's cache
_MIXED_AT_ONCE = 1 << 19  # pixels; their spectra stay in the caches


class CpuAugmentation:
    """Changes some of many frames on the CPU."""

    def __init__(self, frames: np.ndarray, augment: Augment, normalisation: Normalisation, seed: int):
        """Take all frames, uint8 of shape (N, S, S), and what seeds the noise."""
        self._frames, self._normalisation = frames, normalisation
        self._mixes = augment.mix_amplitudes > 0
        length = max(_NOISE_TABLE, 2 * frames[0].size)
        noise = np.random.default_rng(seed).standard_normal(length, np.float32)
        self._noise = noise * np.float32(augment.noise / normalisation.std)

    def __call__(self, which: np.ndarray, draws: Draws, result: np.ndarray) -> None:
        """Change and normalise some of the frames.

        Args:
            which: Frames by number, int64, shape (B,).
            draws: What chance decided for these B frames.
            result: Filled with the changed frames; float32, shape (B, S, S). Fresh memory for every batch would cost a
                small network more than all changes.
        """
        if not self._mixes:
            self._change(self._frames, which, draws, result)
            return
        every = torch.from_numpy(self._frames)
        at_once = max(1, _MIXED_AT_ONCE // self._frames[0].size)
        for first in range(0, len(which), at_once):
            some = slice(first, first + at_once)
            mine, taken = draws.only(some), every[torch.from_numpy(which[some])]
            mixed = mix_amplitudes(taken, mine.others(every), torch.from_numpy(mine.share))
            self._change(mixed.numpy(), np.arange(len(mixed)), mine, result[some])

    def _change(self, frames: np.ndarray, which: np.ndarray, draws: Draws, result: np.ndarray) -> None:
        size = frames.shape[-1]
        numba.set_num_threads(min(torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS))
        _changed(
            frames,
            which,
            draws.theta,
            draws.gain.astype(np.float32),
            draws.gamma.astype(np.float32),
            (draws.noise * (len(self._noise) - size**2)).astype(np.int64),
            draws.erase,
            (round(STAMP_HEIGHT * size), round(STAMP_WIDTH * size)),
            (np.float32(self._normalisation.mean), np.float32(self._normalisation.std)),
            self._noise,
            result,
        )


@numba.njit(parallel=True, cache=True)
def _changed(frames, which, theta, gain, gamma, starts, erase, stamp, normalisation, noise, result):
    """Fill `result`; `starts` says where in `noise` each frame's begins, `stamp` is a height and a width in pixels.

    Each frame depends on its own draws alone, so the number of threads changes no bit.
    """
    size, (mean, std) = frames.shape[-1], normalisation
    half, last = float32(0.5 * size), float32(size - 1)
    axis = ((np.arange(size) + 0.5) / half - 1.0).astype(np.float32)  # centres of the pixels, from -1 to 1
    levels = (np.arange(256) / 255.0).astype(np.float32)
    for number in numba.prange(len(which)):
        frame = frames[which[number]].copy()
        if erase[number]:
            frame[: stamp[0], : stamp[1]] = 0
        exposed = np.empty(256, np.float32)  # what the network sees of each level
        for level in range(256):
            exposed[level] = (min(levels[level] ** gamma[number] * gain[number], float32(1)) - mean) / std
        # From -1 ... 1 to 0 ... S, where truncation is the nearest pixel, as pixel i covers i ... i + 1. Beyond the
        # border it is the border's.
        place = theta[number] * half
        source = np.empty((size, size), np.uint32)
        for row in range(size):
            across = place[0, 1] * axis[row] + (place[0, 2] + half)
            down = place[1, 1] * axis[row] + (place[1, 2] + half)
            of_row = source[row]
            for column in range(size):
                source_column = int32(min(max(place[0, 0] * axis[column] + across, float32(0)), last))
                source_row = int32(min(max(place[1, 0] * axis[column] + down, float32(0)), last))
                of_row[column] = source_row * int32(size) + source_column
        pixels, sources, changed = frame.reshape(-1), source.reshape(-1), result[number].reshape(-1)
        added = noise[starts[number] : starts[number] + changed.size]
        for pixel in range(changed.size):
            changed[pixel] = exposed[pixels[sources[pixel]]] + added[pixel]
