"""What the exported graph does on test, with intervals over runs: scores, escapes, false rejects."""

from collections.abc import Iterator, Sequence

import numpy as np

from weldbench.config.evidence import Compare
from weldbench.deploy.bundle import Bundle
from weldbench.deploy.dossier.text import Section, count, listed, plain, score, share, table
from weldbench.evaluation.bootstrap import ModelDraws, Resamples
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.operating_point import defect_scores
from weldbench.evaluation.predictions import Predictions
from weldbench.reporting.tables.table import percent
from weldbench.runtime.text import counted
from weldbench.trust.evidence import exact_interval
from weldbench.trust.welds import Welds


class Measured:
    """The scores of one exported graph on test.

    Args:
        test: What the graph in float32 says of the frames of test.
        settings: How intervals are computed.
    """

    def __init__(self, test: Predictions, settings: Compare) -> None:
        self.test, self.settings = test, settings
        self.resamples = Resamples(test, settings.bootstrap_draws, settings.confidence, settings.seed)
        self._draws: ModelDraws = self.resamples.draw([test])

    @property
    def extent(self) -> str:
        """How many frames and runs test has."""
        runs = counted(len(self.resamples.runs.names), "run")
        return f"{counted(len(self.test.labels), 'frame')} of {runs}"

    def macro_f1(self) -> Interval:
        """Return macro F1."""
        return self.resamples.macro_interval(self._draws)

    def f1(self, label: int) -> Interval:
        """Return F1 of a class."""
        if not (self.test.labels == label).any():
            return Interval(np.nan, np.nan, np.nan, "no test frames")
        return self.resamples.class_interval(self._draws, label)

    def share_of(self, chosen: np.ndarray, among: np.ndarray, absent: str) -> Interval:
        """Return the share of frames `chosen` among some, each bool of shape (N,); `absent` where there are none."""
        if not among.any():
            return Interval(np.nan, np.nan, np.nan, absent)
        return self.resamples.frames_interval(chosen[None], among)

    def escapes(self, threshold: float) -> Interval:
        """Return the share of defective frames that pass at a threshold."""
        return self.share_of(defect_scores(self.test) <= threshold, self.test.labels != 0, "no defective frame in test")

    def false_rejects(self, threshold: float) -> Interval:
        """Return the share of good frames that are rejected at a threshold."""
        return self.share_of(defect_scores(self.test) > threshold, self.test.labels == 0, "no good frame in test")

    def escaped_of_class(self, label: int, threshold: float) -> Interval:
        """Return the share of a class's frames that pass at a threshold."""
        return self.share_of(defect_scores(self.test) <= threshold, self.test.labels == label, "no test frames")

    def welds(self, threshold: float, window: int) -> tuple[tuple[int, int, Interval], tuple[int, int, Interval]]:
        """Return (escaped, of so many defective welds, share), and the same of good welds that are rejected."""
        welds = Welds.of(self.test, window)
        bad, good = int(welds.defective.sum()), int((~welds.defective).sum())
        escaped, rejected = int(welds.escaped(threshold).sum()), int(welds.falsely_rejected(threshold).sum())
        level = self.settings.confidence
        return (escaped, bad, exact_interval(escaped, bad, level)), (
            rejected,
            good,
            exact_interval(rejected, good, level),
        )


def results(bundle: Bundle, measured: Measured, compared: str) -> Section:
    """Return the section with the scores; `compared` says where the comparison with other models stands."""
    test, macro = measured.test, measured.macro_f1()
    accuracy = measured.share_of(test.correct, np.ones(len(test.labels), bool), "no test frames")
    rows = [[name, *_of_class(measured, label)] for label, name in enumerate(bundle.classes)]
    header = ["class", "frames", "runs", "precision", "recall", "F1"]
    return Section(
        "Results on test",
        "2 (g), 3",
        [
            f"Test has {measured.extent}. The exported graph in float32 has there a macro F1 of **{score(macro)}** and "
            f"an accuracy of {share(accuracy)}. In brackets stand {100 * measured.settings.confidence:g} % intervals "
            "over runs, here and below. They are of this one training: how much another seed would differ, the report "
            f"of the comparison says. {compared}",
            table("Class by class", header, rows),
            *_confusions(measured),
        ],
    )


def _of_class(measured: Measured, label: int) -> Iterator[object]:
    test = measured.test
    of_class, called = test.labels == label, test.predicted == label
    yield f"{int(of_class.sum()):,}"
    yield int(measured.resamples.runs.per_class[label])
    yield score(measured.share_of(test.correct, called, "never predicted"))
    yield score(measured.share_of(test.correct, of_class, "no test frames"))
    yield score(measured.f1(label))


def _confusions(measured: Measured) -> Iterator[str]:
    """Name the most frequent confusions."""
    test, found = measured.test, []
    for true, name in enumerate(test.classes):
        for said, other in enumerate(test.classes):
            hits = int(((test.labels == true) & (test.predicted == said)).sum())
            if hits and true != said:
                found.append((hits, f"{counted(hits, 'frame')} of {plain(name)} taken for {plain(other)}"))
    largest = [told for _, told in sorted(found, key=lambda one: -one[0])[:3]]
    yield f"Most often confused: {listed(largest)}." if largest else "No frame of test is taken for another class."


def measures(bundle: Bundle, measured: Measured) -> Section:
    """Return the section on why these measures fit the task, and what they do not say."""
    frames = np.bincount(measured.test.labels, minlength=len(bundle.classes))
    present = frames[frames > 0]
    uneven = (
        f"Test has up to {present.max() / present.min():.3g} times as many frames of one class as of another, so "
        "accuracy alone would hide a rare defect; macro F1 counts every class alike."
        if present.max() > present.min()
        else "Every class of test has the same number of frames; macro F1 counts every class alike."
    )
    costs = (
        "An escaped defect and a rejected good weld cost a factory different things, so both are told apart, at "
        "thresholds that valid chose."
        if bundle.good_class
        else "The data has no class of good welds, so neither escapes nor false rejects can be measured."
    )
    return Section(
        "Do these measures fit the task?",
        "4",
        [
            uneven,
            costs,
            "Frames of one weld are near copies, so intervals resample whole runs: many frames of few welds "
            "are little evidence.",
            "What no measure here says: which share of all welds leaves the factory defective, as for that one must "
            "know how often defects occur; what a missed defect costs; anything about a defect that is no class here.",
        ],
    )


def escapes(bundle: Bundle, measured: Measured, windows: Sequence[int]) -> list[str]:
    """Return what thresholds do on test, of frames and of welds; nothing where there is no threshold."""
    if not bundle.thresholds:
        return []
    thresholds = sorted(bundle.thresholds.items())
    frames = [
        [percent(rate), f"{at:.6f}", share(measured.false_rejects(at)), share(measured.escapes(at))]
        for rate, at in thresholds
    ]
    welds = []
    for rate, at in thresholds:
        for window in windows:
            (escaped, bad, of_bad), (rejected, good, of_good) = measured.welds(at, window)
            vote = "none" if window == 1 else f"{window} frames"
            welds.append([percent(rate), vote, bad, count(escaped, of_bad), good, count(rejected, of_good)])
    rate, at = min(thresholds, key=lambda one: abs(one[0] - 0.01))
    classes = [
        [name, share(measured.escaped_of_class(label, at))] for label, name in enumerate(bundle.classes) if label
    ]
    allowed = "good frames of valid that may be rejected"
    return [
        table("Frames of test", [allowed, "threshold", "good frames rejected", "defective frames that escape"], frames),
        table(
            "Welds of test; one is rejected if the vote rejects it in any frame",
            [allowed, "vote", "defective", "of them escaped", "good", "of them rejected"],
            welds,
        ),
        table(
            f"Frames that escape, where {percent(rate)} of good ones may be rejected",
            ["class", "escape"],
            classes,
        ),
        "By the probabilities alone: frames called unknown are rejected as well, and are not counted here. A share "
        "that is the same in every run has no interval from resampling; the numbers of welds have exact ones.",
    ]
