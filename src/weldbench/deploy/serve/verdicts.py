"""From the pictures of a request to its answer."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from weldbench.deploy.decision import Decision
from weldbench.deploy.judge import Judge
from weldbench.deploy.serve.answers import BatchAnswer, BatchFrame, FrameAnswer, View
from weldbench.deploy.serve.limits import Limits
from weldbench.deploy.serve.metrics import Metrics
from weldbench.deploy.serve.pictures import SentPicture, check_pixels
from weldbench.deploy.weld_summary import PASSED, REJECTED
from weldbench.errors import BadFrameError

_VIEW_WIDTH_PX = 960


class Answering:
    """Judges what clients send, within limits; in the thread of the judge that is given."""

    def __init__(self, limits: Limits, metrics: Metrics):
        self._limits, self._metrics = limits, metrics

    def one(self, judge: Judge, picture: SentPicture, with_view: bool) -> FrameAnswer:
        """Judge one picture.

        Raises:
            BadFrameError: It cannot be judged.
        """
        try:
            check_pixels(picture.content, self._limits.picture_pixels)
            levels = judge.levels_of(picture.content)
        except BadFrameError:
            self._metrics.unreadable.inc()
            raise
        verdict = judge.judge(levels)
        self._metrics.frames.labels(verdict.class_name, verdict.decision).inc()
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
            view=_view(judge, levels) if with_view else None,
        )

    def batch(self, judge: Judge, pictures: list[SentPicture]) -> BatchAnswer:
        """Judge the pictures of one run; they vote in their order."""
        vote, frames = judge.rule.vote(), []
        votes: list[Decision] = []
        for picture in pictures:
            try:
                answer = self.one(judge, picture, with_view=False)
            except BadFrameError as error:
                frames.append(BatchFrame(name=picture.name, error=str(error)))
            else:
                votes.append(vote.add(Decision(answer.decision)))
                frames.append(BatchFrame(name=picture.name, verdict=answer, vote=votes[-1].value))
        weld = (REJECTED if any(said.rejects for said in votes) else PASSED) if votes else None
        return BatchAnswer(frames=frames, weld=weld)


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
