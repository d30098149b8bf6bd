"""How long an exported model takes, from the pixels of a frame to its probabilities."""

import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.runtimes import Session
from weldbench.runtime.processor import processor_name

_TIMED_RUNS = {1: 21, 32: 5}  # frames at a time -> runs


def latencies(sessions: Mapping[str, Session], frame: NDArray[np.uint8], threads: int) -> dict[str, Any]:
    """Time each session on copies of one frame: the median in milliseconds per frame, alone and in batches of 32.

    Args:
        sessions: By their names.
        frame: As a camera gives it, uint8, shape (H, W).
        threads: That each session uses.

    Returns:
        JSON: the machine, and the times.
    """
    return {
        "machine": processor_name(),
        "threads": threads,
        "frame": f"{frame.shape[1]} x {frame.shape[0]} pixels, decoded",
        "milliseconds_per_frame": {
            name: {f"batch {count}": round(_milliseconds(session, frame, count), 3) for count in _TIMED_RUNS}
            for name, session in sessions.items()
        },
    }


def _milliseconds(session: Session, frame: NDArray[np.uint8], count: int) -> float:
    frames = np.repeat(frame[None], count, axis=0)
    session.run(frames)
    seconds = []
    for _ in range(_TIMED_RUNS[count]):
        started = time.perf_counter()
        session.run(frames)
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds) / count
