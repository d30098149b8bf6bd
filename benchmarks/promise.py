"""Is the promise about escapes kept? Thousands of draws of runs from a process whose escapes are known.

    python benchmarks/promise.py [--draws N] [--defective N] [--good N]

The process is a population of 3,000 defective and 3,000 good films, as two models of different skill see them. Each
draw takes runs from it, with replacement, and does all that compare does: it lets the frames vote, makes a promise for
every model and window (at most 5 % escape, 95 % confidence), and takes the one with the fewest false rejects in the
draw. The promise is broken if more than 5 % of the population's defective films escape at that threshold.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from weldbench.evaluation.predictions import Predictions
from weldbench.trust.evidence import fewest_runs, for_one_of
from weldbench.trust.guarantees import Promise, promise
from weldbench.trust.welds import Welds

FILMS, FRAMES, GOOD_FRAMES = 3000, 24, 8  # a defect begins after 8 good frames
ESCAPE, CONFIDENCE = 0.05, 0.95
RULES = [(model, window) for model in (0, 1) for window in (1, 5)]


@dataclass(frozen=True)
class Outcome:
    """What came of one way to choose, over all draws.

    Attributes:
        broken: Share of draws in which more than 5 % of all defective films escape.
        none: Share of draws in which no promise could be made.
        escapes: Share of all defective films that escape, the mean over draws.
        false_rejects: Share of all good films that are rejected, the mean over draws.
        oracle_false_rejects: The same at the highest threshold that keeps the promise in the population.
        thresholds: Threshold, the mean over draws.
        oracle_thresholds: That of the oracle, for the rules that were chosen.
    """

    broken: float
    none: float
    escapes: float
    false_rejects: float
    oracle_false_rejects: float
    thresholds: float
    oracle_thresholds: float


def main() -> None:
    """Print a line for each way to choose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--defective", type=int, default=124, help="defective runs in each draw")
    parser.add_argument("--good", type=int, default=60, help="good runs in each draw")
    arguments = parser.parse_args()
    if arguments.defective < (needed := fewest_runs(ESCAPE, for_one_of(CONFIDENCE, len(RULES)))):
        parser.error(f"--defective has to be at least {needed}, or nothing can be promised")
    print("chosen\tbroken %\tno promise %\tescapes %\tfalse rejects % (oracle)\tthreshold (oracle)")
    for name, found in simulate(arguments.draws, arguments.defective, arguments.good).items():
        print(
            f"{name}\t{100 * found.broken:.2f}\t{100 * found.none:.2f}\t{100 * found.escapes:.2f}"
            f"\t{100 * found.false_rejects:.2f} ({100 * found.oracle_false_rejects:.2f})"
            f"\t{found.thresholds:.3f} ({found.oracle_thresholds:.3f})"
        )


def simulate(draws: int, defective: int, good: int, seed: int = 0) -> dict[str, Outcome]:
    """Draw runs again and again: one rule named before, the best of four with and without correction."""
    random = np.random.default_rng(seed)
    films = [_films(random, skill) for skill in (7.0, 6.6)]
    everything = [Welds.of(_predictions(films[model], np.arange(2 * FILMS)), window) for model, window in RULES]
    oracles = [_oracle(welds) for welds in everything]
    corrected = for_one_of(CONFIDENCE, len(RULES))
    ways = {
        "one rule, named before": (CONFIDENCE, [0]),
        f"best of {len(RULES)}, corrected": (corrected, range(len(RULES))),
        f"best of {len(RULES)}, not corrected": (CONFIDENCE, range(len(RULES))),
    }
    chosen: dict[str, list[tuple[int, Promise] | None]] = {name: [] for name in ways}
    for _ in range(draws):
        drawn = np.concatenate([random.integers(0, FILMS, good), random.integers(FILMS, 2 * FILMS, defective)])
        welds = [Welds.of(_predictions(films[model], drawn), window) for model, window in RULES]
        for name, (confidence, rules) in ways.items():
            made = [(rule, found) for rule in rules if (found := promise(welds[rule], ESCAPE, confidence))]
            costs = [welds[rule].falsely_rejected(found.threshold).sum() for rule, found in made]
            chosen[name].append(made[int(np.argmin(costs))] if made else None)
    return {name: _outcome(found, everything, oracles) for name, found in chosen.items()}


def _films(random: np.random.Generator, skill: float) -> NDArray[np.float64]:
    """Return P(good) of each frame, shape (2 * FILMS, FRAMES): good films, then defective ones of every clarity."""
    shown = np.zeros((2 * FILMS, FRAMES))
    shown[FILMS:, GOOD_FRAMES:] = skill * random.gamma(4.0, 1 / 4, (FILMS, 1))
    of_run, of_frame = random.normal(0, 0.7, (2 * FILMS, 1)), random.normal(0, 0.8, shown.shape)
    return np.asarray(1 - expit(shown - 3 + of_run + of_frame))


def _predictions(films: NDArray[np.float64], drawn: NDArray[np.int64]) -> Predictions:
    good = films[drawn].ravel()
    labels = ((drawn[:, None] >= FILMS) & (np.arange(FRAMES) >= GOOD_FRAMES)).astype(np.int64).ravel()
    runs = np.repeat([f"run{number:05d}" for number in range(len(drawn))], FRAMES)
    probabilities, zeros = np.stack([good, 1 - good], axis=1), np.zeros(len(good), np.int64)
    return Predictions(("good", "defect"), labels, probabilities, runs, zeros, np.arange(len(good)))


def _oracle(everything: Welds) -> float:
    """Return the highest threshold at which at most 5 % of all defective films escape."""
    scores = np.sort(everything.scores[everything.defective])
    return float(np.nextafter(scores[int(ESCAPE * len(scores))], -np.inf))


def _outcome(chosen: list[tuple[int, Promise] | None], everything: list[Welds], oracles: list[float]) -> Outcome:
    made = [found for found in chosen if found]

    def share(which: NDArray[np.bool_]) -> float:
        return float(which.sum() / FILMS)

    escapes = np.array([share(everything[rule].escaped(found.threshold)) for rule, found in made])
    return Outcome(
        broken=float((escapes > ESCAPE).sum() / len(chosen)),
        none=1 - len(made) / len(chosen),
        escapes=float(escapes.mean()),
        false_rejects=float(np.mean([share(everything[rule].falsely_rejected(p.threshold)) for rule, p in made])),
        oracle_false_rejects=float(
            np.mean([share(everything[rule].falsely_rejected(oracles[rule])) for rule, _ in made])
        ),
        thresholds=float(np.mean([found.threshold for _, found in made])),
        oracle_thresholds=float(np.mean([oracles[rule] for rule, _ in made])),
    )


if __name__ == "__main__":
    main()
