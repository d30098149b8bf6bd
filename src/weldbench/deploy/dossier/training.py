"""How the exported network came about, what it cost, and how to make it again."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.dossier.text import Section, plain, table
from weldbench.deploy.runtimes import installed_runtimes

_NOT_RECORDED = "not recorded"
_STARTS = {
    "scratch": "random weights",
    "simulated": "a backbone that learned on simulated frames",
    "imagenet": "ImageNet's weights",
}


def development(bundle: Bundle, training: Mapping[str, Any]) -> Section:
    """Return the section on the network and its training."""
    lineage, settings = bundle.lineage, training.get("settings", {})
    length, selection = training.get("length", {}), training["selection"]
    start = _STARTS.get(settings.get("init", ""), _NOT_RECORDED)
    frozen = settings.get("freeze", "none")
    learns = {"none": "All layers learned.", "backbone": "Only the last layer learned; the backbone stayed as it is."}
    facts = [
        f"Network: {plain(training.get('architecture', bundle.model))}, {lineage['parameters']:,} parameters, input "
        f"{bundle.input_size_px} x {bundle.input_size_px} pixels, gray. It started from {start}."
        + (f" {learns.get(frozen, f'Layers frozen: {plain(frozen)}.')}" if settings else ""),
        " ".join(f"{reason[0].upper()}{reason[1:]}" for one in (length, selection) if (reason := one.get("reason"))),
        f"Exported is seed {lineage['seed']} of fold {lineage['fold']}: the best of the seeds on valid, with a macro "
        f"F1 of {lineage['valid_macro_f1']:.3f} there. That number chose it, so it is too high, and has no interval; "
        "the results on test have one.",
    ]
    rows = [[key, _shown(value)] for key, value in {**settings, **training.get("augment", {})}.items()]
    pieces = [fact for fact in facts if fact]
    if training.get("notes"):
        pieces += [plain(note) for note in training["notes"]]
    if rows:
        pieces.append(table("Settings", ["setting", "value"], rows))
    return Section("The network and its training", "2 (a), 2 (b), 2 (c)", pieces)


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value)


def cost(training: Mapping[str, Any], latency: Mapping[str, Any]) -> Section:
    """Return the section on computing time and memory."""
    seconds, memory = training.get("seconds"), training.get("peak_memory_mb")
    rows = [
        ["training, this one", f"{seconds:,.0f} s" if seconds is not None else _NOT_RECORDED],
        ["on", training.get("device", _NOT_RECORDED)],
        ["threads", training.get("threads", _NOT_RECORDED)],
        ["precision", training.get("precision", _NOT_RECORDED)],
        ["peak memory", f"{memory:,} MB" if memory is not None else _NOT_RECORDED],
    ]
    times = latency["milliseconds_per_frame"]
    return Section(
        "Cost",
        "1, 2 (c)",
        [
            table("What it took to train", ["", ""], rows),
            f"Judging, measured here: {plain(latency['machine'])}, threads: {latency['threads']}; from "
            f"{plain(latency['frame'])}, to probabilities. Times are medians of one machine and have no interval.",
            table(
                "Milliseconds per frame",
                ["graph", *next(iter(times.values()))],
                [[name, *of_graph.values()] for name, of_graph in times.items()],
            ),
        ],
    )


def reproduction(bundle: Bundle, training: Mapping[str, Any], made_from: Mapping[str, Any]) -> Section:
    """Return the section on how to make the same again, and what this was made from."""
    sums = {
        "the trained network": bundle.lineage["sha256"],
        "the code (without comments)": made_from.get("code_sha256"),
        **made_from.get("inputs", {}),
    }
    running = {name: version(name) for name in ("weldbench", *installed_runtimes())}
    versions = {**running, **training.get("versions", {}), **made_from.get("versions", {})}
    commit = f"results/{bundle.dataset}/lineage.json"
    return Section(
        "How to reproduce it, and its lineage",
        "2 (g), 6",
        [
            f"Set `dataset: {bundle.dataset}` in params.yaml and run `snakemake --cores all` or `dvc repro`, with the "
            "packages of requirements.lock. The same seed, machine and number of threads give the same network, byte "
            f"for byte; times differ. `{commit}` has the commit; `weldbench verify` checks that the files are those of "
            "params.yaml.",
            table("Sums (sha256)", ["of", "sha256"], [[name, found or _NOT_RECORDED] for name, found in sums.items()]),
            table("Versions", ["package", "version"], versions.items()),
        ],
    )
