"""From the pictures of a request to its answer."""

import base64
import io
import sys
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from weldbench.deploy.decision import Decision
from weldbench.deploy.drift import Drift
from weldbench.deploy.judge import Judge, Verdict
from weldbench.deploy.serve.answers import BatchAnswer, BatchFrame, FrameAnswer, View
from weldbench.deploy.serve.limits import Limits
from weldbench.deploy.serve.metrics import Metrics
from weldbench.deploy.serve.pictures import SentPicture, check_pixels
from weldbench.deploy.weld_summary import PASSED, REJECTED
from weldbench.errors import BadFrameError

_VIEW_WIDTH_PX = 960


class Answering:
    """Judges what clients send, within limits; in the thread of the judge that is given."""

    def __init__(self, limits: Limits, metrics: Metrics, drift: Drift | None = None):
        self._limits, self._metrics, self._drift = limits, metrics, drift
        self._one_weld = threading.Lock()

    def drift_told(self) -> tuple[str | None, bool]:
        """Say what the drift check found so far, and whether it finds a change now; None without one."""
        if self._drift is None:
            return None, False
        with self._one_weld:
            return self._drift.summary(), bool(self._drift.state.beyond)

    def one(self, judge: Judge, picture: SentPicture, with_view: bool) -> FrameAnswer:
        """Judge one picture.

        Raises:
            BadFrameError: It cannot be judged.
        """
        verdict, levels = self._judged(judge, picture)
        return _answer(verdict, levels, picture, _view(judge, levels) if with_view else None)

    def _judged(self, judge: Judge, picture: SentPicture) -> tuple[Verdict, NDArray[np.uint8]]:
        try:
            check_pixels(picture.content, self._limits.picture_pixels)
            levels = judge.levels_of(picture.content)
        except BadFrameError:
            self._metrics.unreadable.inc()
            raise
        verdict = judge.judge(levels)
        self._metrics.frames.labels(verdict.class_name, verdict.decision).inc()
        return verdict, levels

    def batch(self, judge: Judge, pictures: list[SentPicture]) -> BatchAnswer:
        """Judge the pictures of one run; they vote in their order."""
        vote, frames = judge.rule.vote(), []
        votes: list[Decision] = []
        verdicts: list[Verdict] = []
        for picture in pictures:
            try:
                verdict, levels = self._judged(judge, picture)
            except BadFrameError as error:
                frames.append(BatchFrame(name=picture.name, error=str(error)))
            else:
                verdicts.append(verdict)
                votes.append(vote.add(verdict.decision))
                answer = _answer(verdict, levels, picture, None)
                frames.append(BatchFrame(name=picture.name, verdict=answer, vote=votes[-1].value))
        weld = (REJECTED if any(said.rejects for said in votes) else PASSED) if votes else None
        return BatchAnswer(frames=frames, weld=weld, drift=self._drift_of(verdicts))

    def _drift_of(self, verdicts: Sequence[Verdict]) -> str | None:
        """Give the frames of a weld to the drift check."""
        if self._drift is None:
            return None
        with self._one_weld:  # threads judge several welds at a time
            for verdict in verdicts:
                if verdict.traits:
                    self._drift.take("batch", verdict.traits, verdict.class_name)
            told = self._drift.finish()
            self._metrics.drift_welds.set(self._drift.state.welds)
            self._metrics.drift_changed.set(bool(self._drift.state.beyond))
        if told:
            print(told, file=sys.stderr, flush=True)
        return told


def _answer(verdict: Verdict, levels: NDArray[np.uint8], picture: SentPicture, view: View | None) -> FrameAnswer:
    return FrameAnswer(
        name=picture.name,
        width_px=levels.shape[1],
        height_px=levels.shape[0],
        class_name=verdict.class_name,
        probabilities=verdict.probabilities,
        calibrated=verdict.calibrated,
        defect_score=verdict.defect_score,
        novelty=verdict.novelty,
        decision=verdict.decision.value,
        view=view,
    )


def _view(judge: Judge, levels: NDArray[np.uint8]) -> View:
    heat = judge.heat(levels)
    frame = Image.fromarray(levels)
    frame.thumbnail((_VIEW_WIDTH_PX, 16 * _VIEW_WIDTH_PX), reducing_gap=2)
    return View(
        frame=_png(frame),
        heat_map=None if heat is None else _png(Image.fromarray(np.uint8(np.rint(255 * np.clip(heat, 0, 1))))),
    )


def _png(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode()
