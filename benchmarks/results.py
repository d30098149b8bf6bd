"""benchmarks/RESULTS.md: one section per benchmark, with machine, versions, medians and spread."""

import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from weldbench.config.training import Hardware
from weldbench.runtime.atomic import write_text
from weldbench.runtime.hardware import Fabric, device_name, uses_bf16

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True)
class Measured:
    """One measured number: its name, its value in every round, its unit (`x` for ratios)."""

    name: str
    values: list[float]
    unit: str

    @property
    def median(self) -> float:
        """The number that counts."""
        return median(self.values)


def machine(hardware: Hardware, fabric: Fabric) -> str:
    """Say on what the numbers were measured."""
    precision = "bf16" if uses_bf16(hardware.precision, fabric.device.type) else "fp32, for it has no native bf16"
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision", "numpy"))
    return (
        f"{device_name(fabric.device)}, {hardware.threads} threads, {precision}; "
        f"Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d}."
    )


def print_lines(measured: list[Measured]) -> None:
    """Print `name<TAB>median<TAB>unit` for each."""
    for line in measured:
        print(f"{line.name}\t{line.median:.3g}\t{line.unit}")


def write_section(title: str, introduction: str, measured: list[Measured]) -> None:
    """Put a section into RESULTS.md, in place of the one of the same title."""
    lines = ["| measured | median | lowest | highest | rounds |", "|---|---|---|---|---|"]
    for line in measured:
        low, high = min(line.values), max(line.values)
        lines.append(f"| {line.name} ({line.unit}) | {line.median:.3g} | {low:.3g} | {high:.3g} | {len(line.values)} |")
    section = f"## {title}\n\n{introduction}\n\n" + "\n".join(lines) + "\n"
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# What the benchmarks measured\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found:
        text = text[: found.start()] + section + "\n" * (found.end() < len(text)) + text[found.end() :]
    else:
        text = text.rstrip("\n") + "\n\n" + section
    write_text(RESULTS, text)
