"""What each graph of an export says, in each runtime, of the frames of valid and test."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weldbench.config.data import Dataset as DatasetSettings
from weldbench.data.dataset import Dataset
from weldbench.data.split import SplitRows
from weldbench.deploy.archive_frames import archive_frames
from weldbench.deploy.bundle import Bundle
from weldbench.deploy.learned import fit_to_train
from weldbench.deploy.novelty import Features
from weldbench.deploy.runtimes import Session, installed_runtimes, open_session
from weldbench.runtime.progress import track

THREADS = 1  # more would change the last bits of probabilities, and so of thresholds
REFERENCE = "onnxruntime fp32"  # the graph whose probabilities choose the thresholds


@dataclass(frozen=True)
class Data:
    """The frames that an export is fitted to, and judged by.

    Attributes:
        dataset: All frames, as ingest stored them.
        archive: The zip of the frames as a camera gave them.
        settings: Of the dataset; they say how the archive is read.
        train: The split.
        valid: The split.
        test: The split.
    """

    dataset: Dataset
    archive: Path
    settings: DatasetSettings
    train: SplitRows
    valid: SplitRows
    test: SplitRows


@dataclass(frozen=True)
class Said:
    """What sessions say of one split.

    Attributes:
        probabilities: Session -> float32, shape (N, K).
        strangeness: Session -> how strange it finds each frame, float64, shape (N,).
    """

    probabilities: Mapping[str, NDArray[np.float32]]
    strangeness: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Judged:
    """Both splits as every session sees them.

    Attributes:
        sessions: By names such as `openvino int8`; without those that do not run.
        broken: Of those that do not run the 8-bit graph, which and why.
        learned: What features of train are like.
        valid: The split.
        test: The split.
    """

    sessions: Mapping[str, Session]
    broken: list[str]
    learned: Features
    valid: Said
    test: Said

    @property
    def in_fp32(self) -> list[str]:
        """Names of the sessions that run the graph in float32."""
        return [name for name, session in self.sessions.items() if not session.is_int8]


def judge_splits(bundle: Bundle, data: Data) -> Judged:
    """Let every graph in every installed runtime judge valid and test, from the bytes of the archive."""
    sessions = _sessions(bundle)
    broken = _broken_int8(sessions, bundle.input_size_px)
    sessions = {name: session for name, session in sessions.items() if not (broken and session.is_int8)}
    learned = fit_to_train(sessions[REFERENCE], data.dataset, data.train)
    valid, test = (
        _say(sessions, data, split, learned, f"export {bundle.model}, {name}")
        for name, split in (("valid", data.valid), ("test", data.test))
    )
    return Judged(sessions, broken, learned, valid, test)


def _sessions(bundle: Bundle) -> dict[str, Session]:
    """Open both graphs in every runtime that is installed, by a name such as `openvino int8`."""
    return {
        f"{runtime} {'int8' if int8 else 'fp32'}": open_session(bundle, runtime, THREADS, int8)
        for runtime in installed_runtimes()
        for int8 in (False, True)
    }


def _broken_int8(sessions: Mapping[str, Session], size_px: int) -> list[str]:
    """Say which runtimes cannot run the 8-bit graph; some have no kernel for small maps under large kernels."""
    broken = []
    for name, session in sessions.items():
        try:
            session.run(np.zeros((1, size_px, size_px), np.uint8))
        except Exception as error:  # those of ONNX Runtime have no common base class
            if not session.is_int8:
                raise
            broken.append(f"{name} does not run it ({str(error).splitlines()[0]})")
    return broken


def _say(sessions: Mapping[str, Session], data: Data, split: SplitRows, learned: Features, task: str) -> Said:
    """Let every session judge the frames of a split."""
    said: dict[str, list[NDArray[np.float32]]] = {name: [] for name in sessions}
    strangeness: dict[str, list[NDArray[np.float64]]] = {name: [] for name in sessions}
    frames = archive_frames(data.archive, data.settings, data.dataset, split.rows)
    for frame in track(frames, task, total=len(split)):
        for name, session in sessions.items():
            outputs = session.run(frame[None])
            said[name].append(outputs.probabilities)
            strangeness[name].append(learned.scores(outputs.features))
    whole = {name: np.concatenate(pieces) for name, pieces in said.items()}
    return Said(whole, {name: np.concatenate(pieces) for name, pieces in strangeness.items()})
