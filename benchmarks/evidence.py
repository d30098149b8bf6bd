"""How long the evidence takes: all resamples and metrics of a comparison as large as the published one.

    python benchmarks/evidence.py [--rounds N]

11,160 invented test frames of 31 runs and 6 classes, 9 trainings (3 models x 3 seeds), 10,000 resamples of runs.
"""

import argparse
import time

import numpy as np
from results import Measured, print_lines, write_section

from weldbench.config.evidence import Compare
from weldbench.evaluation.comparison import Comparison
from weldbench.evaluation.predictions import Predictions
from weldbench.evaluation.scoring import score_comparison
from weldbench.evaluation.significance import compare_pairs

FRAMES, RUNS, CLASSES, MODELS, SEEDS, DRAWS = 11_160, 31, 6, 3, 3, 10_000


def main() -> None:
    """Measure, print the line, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    comparison = invented_comparison()
    settings = Compare(models=list(comparison.models), bootstrap_draws=DRAWS)
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        scoring = score_comparison("invented frames", comparison, settings)
        compare_pairs(comparison, scoring.draws, scoring.resamples)
        seconds.append(time.process_time() - started)
    measured = Measured("evidence", seconds, "s of one core")
    print_lines([measured])
    about = (
        f"{FRAMES:,} frames, {MODELS * SEEDS} trainings, {DRAWS:,} resamples of {RUNS} runs: intervals, metrics, pairs."
    )
    write_section("Evidence", about, [measured])


def invented_comparison() -> Comparison:
    """Return predictions that are right more often than not, on runs of one class each."""
    rng = np.random.default_rng(0)
    names = tuple(f"class{number}" for number in range(CLASSES))
    run = np.sort(rng.integers(0, RUNS, FRAMES))
    labels = run % CLASSES
    runs, folds, rows = np.char.add("run", run.astype(str)), np.zeros(FRAMES, np.int64), np.arange(FRAMES)

    def trained() -> Predictions:
        logits = rng.normal(size=(FRAMES, CLASSES))
        logits[rows, labels] += 2.0
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return Predictions(names, labels, probabilities, runs, folds, rows)

    test = {f"model{number}": tuple(trained() for _ in range(SEEDS)) for number in range(MODELS)}
    return Comparison(names, tuple(test), tuple(range(SEEDS)), test, test)


if __name__ == "__main__":
    main()
