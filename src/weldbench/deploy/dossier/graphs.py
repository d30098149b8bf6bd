"""Whether the exported graphs say what the trained network says."""

from collections.abc import Mapping
from typing import Any

from weldbench.deploy.dossier.text import Section, plain, table


def agreement(parity: Mapping[str, Any]) -> Section:
    """Return the section on graphs in float32; `parity` is parity.json."""
    rows = [
        [name, found["frames"], f"{found['same_class_share']:.2%}", f"{found['largest_difference']:.1e}"]
        for name, found in parity["fp32_against_torch"].items()
    ]
    return Section(
        "The same as the trained network",
        "2 (c), 2 (g)",
        [
            "Counted on every frame of test, decoded again from the archive, so without an interval.",
            table(
                "Graphs in float32 against torch",
                ["graph", "test frames", "same class", "largest difference of a probability"],
                rows,
            ),
            plain(parity["heat"]),
        ],
    )


def eight_bits(parity: Mapping[str, Any]) -> Section:
    """Return the section on the graph in 8 bits."""
    rows = []
    for name, splits in parity["int8"]["runtimes"].items():
        for split, cost in splits.items():
            macro_f1, escapes = cost["macro_f1"], cost["escapes"]
            passed = ", ".join(f"{found['fp32']} -> {found['int8']} at {found['false_rejects']:g}" for found in escapes)
            rows.append([name, split, f"{macro_f1['fp32']:.4f} -> {macro_f1['int8']:.4f}", passed, cost["defects"]])
    header = ["runtime", "split", "macro F1", "defects that pass, at false rejects", "defective frames"]
    counted = "The same frames are judged before and after, and counted; no interval."
    return Section(
        "In 8-bit integers",
        "2 (c), 2 (g)",
        [plain(parity["int8"]["told"]), *([counted, table("From float32 to 8 bits", header, rows)] if rows else [])],
    )
