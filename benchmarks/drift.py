"""How soon is a change of lamp, focus, camera angle or shielding gas noticed, and how often without one?

    python benchmarks/drift.py [--export exports/weldsim/efficientnet_lite0] [--streams 16] [--repeats 10]

Streams of 200 simulated welds of 5 frames, each weld drawn afresh (`drift_drill.py`, which has the sizes of the
changes). Unchanged ones count false alarms. For each change and size the first streams are changed from weld 101 on;
the delay is the number of changed welds up to the one that raises the alarm.
"""

import argparse
from functools import cache, partial
from pathlib import Path

import numpy as np
from drift_drill import AMOUNTS, SIZES, Change, film
from results import Measured, print_lines, write_section

from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.drift import Drift
from weldbench.deploy.judge import Judge
from weldbench.runtime.parallel import ordered_map
from weldbench.runtime.progress import track

WELDS, BEFORE = 200, 100
SEED = 2026  # the charts were designed on welds of another seed


def main() -> None:
    """Drill, print the lines, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--export", type=Path, default=Path("exports/weldsim/efficientnet_lite0"))
    parser.add_argument("--streams", type=int, default=16, help="unchanged streams of 200 welds; default: 16")
    parser.add_argument("--repeats", type=int, default=10, help="streams that each change is tried on; default: 10")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    streams = range(arguments.streams)
    run = partial(_alarms, arguments.export)
    found = ordered_map(run, streams, arguments.workers, "use fewer workers")
    alarms = [alarm for stream in track(found, "unchanged", len(streams), "streams") for alarm in stream]
    print(f"{len(alarms)} false alarms in {WELDS * len(streams):,} unchanged welds: {alarms}")
    measured = [Measured("false_alarms", [1000 * len(alarms) / (WELDS * len(streams))], "in 1,000 unchanged welds")]
    changes = [Change(kind, amount) for kind, amounts in AMOUNTS.items() for amount in amounts]
    tasks = [(change, stream) for change in changes for stream in range(arguments.repeats)]
    done = ordered_map(partial(_delay, arguments.export), tasks, arguments.workers, "use fewer workers")
    delays = np.array(list(track(done, "changed", len(tasks), "streams"))).reshape(len(changes), -1)
    for number, change in enumerate(changes):
        size = SIZES[AMOUNTS[change.kind].index(change.amount)]
        measured.append(Measured(f"{change.kind.replace(' ', '_')}_{size}", delays[number].tolist(), "welds"))
    print_lines(measured)
    write_section("Drift", _about(arguments.export), measured)


def _about(export: Path) -> str:
    bundle = load_bundle(export)
    sizes = "; ".join(f"{kind} {', '.join(f'{amount:g}' for amount in AMOUNTS[kind])}" for kind in AMOUNTS)
    return (
        f"Delays until a change is noticed, of {bundle.model} on weldsim, and false alarms (`drift.py`); "
        f"{WELDS - BEFORE} stands for not noticed within {WELDS - BEFORE} welds. Sizes, mild, medium, strong: {sizes} "
        "(`drift_drill.py` has the units). The plant mounts its camera anew for every weld, in training and here, so "
        "that what differs from weld to weld hides small changes, above all of the camera's angle."
    )


def _alarms(export: Path, stream: int) -> list[str]:
    drift = _drift(export)
    told = [_weigh(export, drift, (SEED, stream, number), None) for number in range(WELDS)]
    return [sentence for sentence in told if sentence]


def _delay(export: Path, task: tuple[Change, int]) -> int:
    change, stream = task
    drift = _drift(export)
    for number in range(BEFORE):
        _weigh(export, drift, (SEED, stream, number), None)
    for number in range(BEFORE, WELDS):
        if _weigh(export, drift, (SEED, stream, number), change):
            return number - BEFORE + 1
    return WELDS - BEFORE


def _weigh(export: Path, drift: Drift, seed: tuple[int, ...], change: Change | None) -> str | None:
    traits, shares = _seen(export, seed, change)
    return drift.weigh(traits, shares)


@cache  # the welds before a change are the same for all changes of a stream
def _seen(export: Path, seed: tuple[int, ...], change: Change | None) -> tuple[np.ndarray, np.ndarray]:
    judge = _judge(export)
    verdicts = [judge.judge(frame) for frame in film(seed, change).frames]
    classes = [judge.bundle.classes.index(verdict.class_name) for verdict in verdicts]
    shares = np.bincount(classes, minlength=len(judge.bundle.classes)) / len(classes)
    return np.mean([verdict.traits for verdict in verdicts], axis=0), shares


def _drift(export: Path) -> Drift:
    drift = _judge(export).drift()
    if drift is None:
        raise SystemExit(f"{export}: {load_bundle(export).drift}")
    return drift


@cache
def _judge(export: Path) -> Judge:
    bundle = load_bundle(export)
    return Judge.of(bundle, Rule(bundle), "onnxruntime")


if __name__ == "__main__":
    main()
