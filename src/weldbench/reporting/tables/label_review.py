"""The stretches of film whose label is probably wrong, as a table; what the page that shows it says."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from weldbench.config.base import SPLITS
from weldbench.config.evidence import Compare
from weldbench.evaluation.bootstrap import Resamples
from weldbench.evaluation.predictions import Predictions
from weldbench.reporting.figures.label_review import GALLERY_STRETCHES, gallery
from weldbench.reporting.figures.style import save, words
from weldbench.reporting.tables.notes import format_interval
from weldbench.reporting.tables.table import Table, percent
from weldbench.runtime.atomic import write_csv
from weldbench.runtime.text import counted, shortened
from weldbench.trust.label_review import LabelReview

TITLE = "Labels to look at again"
CAPTION = (
    "Stretches of film of {dataset} whose label is in doubt, worst first: fits to the features of a frozen backbone "
    "that never saw the run suggest another class."
)
GALLERY_CAPTION = (
    f"The middle frame of the {GALLERY_STRETCHES} worst stretches of {{dataset}}, with the label as it is and as the "
    "fits suggest it."
)
GALLERY_ALT = "A grid of frames, each with its label, the suggested one, the score, run and frames; the table has them."
WHAT_IT_MEANS = (
    "A stretch in this list is a question to a person and no verdict: the fits are wrong too, most of all about a weld "
    "that is unlike all others. `weldbench review` shows each one and writes what you decide; `split.corrections` "
    "applies it."
)
_SHOWN = 20
_SHOWN_CHARACTERS = 40


def write_review(review: LabelReview, settings: Compare, listed: Path, output: Path) -> None:
    """Write review.csv to `listed`, and the table and the gallery into the folder `output`."""
    write_csv(listed, review.listed(), float_format="%.6f")
    label_table(review, settings).write(output)
    save(gallery(review), output / "review.png")


def label_table(review: LabelReview, settings: Compare) -> Table:
    """One row for each stretch in doubt; the notes say how many labels are wrong, and what cannot be judged."""
    columns = ["stretch", "run", "first_frame", "last_frame", "frames", "split", "label", "suggested"]
    stretches = review.listed().drop_duplicates("stretch")[[*columns, "probably_wrong", "score"]]
    worst = stretches.head(_SHOWN)
    shown = pd.DataFrame(
        {
            "": worst["stretch"].astype(str),
            "run": [shortened(run, _SHOWN_CHARACTERS) for run in worst["run"]],
            "frames": [f"{line.first_frame} – {line.last_frame} ({line.frames})" for line in worst.itertuples()],
            "split": worst["split"],
            "label": worst["label"].map(words),
            "suggested": worst["suggested"].map(words),
            "probably wrong": worst["probably_wrong"],
            "score": worst["score"].map("{:.2f}".format),
        }
    )
    return Table("review", TITLE, stretches, shown, notes=_notes(review, settings, len(stretches)))


def _notes(review: LabelReview, settings: Compare, count: int) -> list[str]:
    sizes, wrong = review.stretches.frames, review.stretches.probably_wrong
    notes = [
        f"Of {int(sizes.sum()):,} frames, the labels of {int(sizes[wrong].sum()):,} are probably wrong; the share of "
        "wrong labels that confident learning estimates (Northcutt, Jiang and Chuang 2021) is "
        f"{percent(review.stretches.wrong_share)}.",
        *_shares(review, settings),
        f"Probabilities are those of logistic regressions on the features of {review.model}, out of folds by whole "
        "run, from runs of all splits; no trained model of the comparison has a part in it.",
        "A stretch is consecutive frames of one run with one label and one suggestion. Score: mean probability of the "
        "suggested class less that of the label. Probably wrong: the suggested class is as probable as where it is "
        "the label, on average, or its score is 0.5 or more.",
        WHAT_IT_MEANS,
    ]
    if count > _SHOWN:
        notes.insert(0, f"The {_SHOWN} worst of {count} stretches in doubt; review.csv has all, frame by frame.")
    if count == 0:
        notes.insert(0, "No label is in doubt.")
    notes += [
        f"{counted(frames, 'frame')} of {label} cannot be judged, as no other run shows this class."
        for label, frames in review.unjudged.items()
    ]
    if "given_label" in review.dataset.manifest:
        notes.append("Labels are those after split.corrections; review.csv has those before, too.")
    return notes


def _shares(review: LabelReview, settings: Compare) -> Iterator[str]:
    """Say which share of each split's frames is probably wrong, with its interval over runs."""
    frames, dataset = review.frames, review.dataset
    rows, runs = frames["row"].to_numpy(np.int64), frames["run"].to_numpy(str)
    judged = Predictions(
        classes=tuple(dataset.classes),
        labels=dataset.labels_of(rows),
        probabilities=review.probabilities,
        runs=runs,
        folds=np.zeros(len(rows), np.int64),
        rows=rows,
        has_good=dataset.good_class is not None,
    )
    resamples = Resamples(judged, settings.bootstrap_draws, settings.confidence, settings.seed)
    chosen = review.stretches.probably_wrong[review.stretches.of_frame][None]
    said = []
    for split in SPLITS:
        among = frames["split"].str.split(", ").map(lambda found, split=split: split in found).to_numpy()
        if among.any():
            share = resamples.frames_interval(chosen, among)
            said.append(f"{split} {percent(share.estimate)} {format_interval(share)}")
    yield f"Share of frames in stretches that are probably wrong, with its interval over runs: {'; '.join(said)}."
