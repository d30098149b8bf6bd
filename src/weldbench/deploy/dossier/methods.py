"""Where each kind of number comes from, and what shows that it can be trusted."""

from weldbench.deploy.dossier.text import Section, table

# What, its source, and the test or simulation in the repository that checks it.
_METHODS = [
    [
        "intervals of scores and shares of frames",
        "bootstrap over runs, Rao and Wu 1988; Student's t on the logit scale, Korn and Graubard 1998",
        "tests/unit/test_bootstrap.py, simulated coverage",
    ],
    ["intervals of numbers of welds", "exact binomial, Clopper and Pearson 1934", "tests/unit/test_plan_evidence.py"],
    [
        "promises about escapes",
        "Learn then Test, Angelopoulos et al. 2021, with Bonferroni's correction",
        "benchmarks/promise.py, a simulation; tests/unit/test_guarantees.py",
    ],
    [
        "what is unknown",
        "Mahalanobis distance, Lee et al. 2018, Mueller and Hein 2025; split conformal, Papadopoulos et al. 2002",
        "benchmarks/novelty.py; tests/deploy/test_novelty.py",
    ],
    ["calibrated probabilities", "temperature scaling, Guo et al. 2017", "tests/unit/test_calibration.py"],
    [
        "drift",
        "multivariate EWMA and CUSUM, limits after Jones, Champ and Rigdon 2001",
        "benchmarks/drift.py, a simulation; tests/deploy/test_drift.py",
    ],
    ["the same as the trained network", "frame by frame on test", "measured for this export: parity.json"],
    ["times", "median of repeated runs", "measured for this export: latency.json"],
    [
        "labels in doubt",
        "confident learning, Northcutt, Jiang and Chuang 2021",
        "benchmarks/label_noise.py, a simulation; tests/unit/test_label_review.py",
    ],
    ["changed lamp and camera", "paired differences over runs", "tests/unit/test_robustness.py"],
]


def methods() -> Section:
    """Return the section on methods, their sources and checks."""
    return Section(
        "How each number was found",
        "2 (g)",
        [table("Methods, sources and checks", ["number", "method and source", "checked by"], _METHODS)],
    )
