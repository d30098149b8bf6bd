"""What frames look like in a few bits, so that copies are found among tens of thousands."""

import hashlib
from collections.abc import Iterator

import imagehash
import numpy as np
from PIL import Image

from weldbench.runtime.progress import track

# pHash with 16x16 frequencies, 256 bits. On the real frames copies with noise of 2 gray levels or saved as JPEG differ
# in at most 12 bits, frames of different runs in at least 36. The usual 64 bits do not part the two.
HASH_SIZE = 16
NEAR_BITS = 12

_BLOCK_FRAMES = 256


def fingerprints(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute two fingerprints of every frame.

    Args:
        frames: uint8, shape (N, height, width); may be memory-mapped.

    Returns:
        A hash of the stored pixels, bytes, shape (N,): equal for identical frames, in whatever format they were
        published. And a perceptual hash, uint64, shape (N, 4): few bits differ between frames that look alike.
    """
    contents = np.empty(len(frames), dtype="S32")
    perceptual = np.empty((len(frames), HASH_SIZE**2 // 64), dtype=np.uint64)
    for row, frame in enumerate(track(frames, "look for copies")):
        contents[row] = hashlib.blake2b(frame.tobytes(), digest_size=16).hexdigest()
        bits = imagehash.phash(Image.fromarray(frame), hash_size=HASH_SIZE).hash
        perceptual[row] = np.packbits(bits).view(np.uint64)
    return contents, perceptual


def near_pairs(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield all pairs whose perceptual hashes differ in at most NEAR_BITS bits, as indices into both, in blocks.

    Every pair is compared, with memory for one block: 10,000 against 10,000 frames take about a second.
    """
    for start in range(0, len(first), _BLOCK_FRAMES):
        block = first[start : start + _BLOCK_FRAMES]
        distance = np.zeros((len(block), len(second)), dtype=np.uint16)
        for word in range(first.shape[1]):
            distance += np.bitwise_count(block[:, word, None] ^ second[None, :, word])
        here, there = np.nonzero(distance <= NEAR_BITS)
        yield start + here, there
