"""Facts about the processor, read from the system; torch is not imported, so this is fast."""

import os
import platform
from functools import cache
from pathlib import Path


def processor_name() -> str:
    """Return the name that the maker gave to the processor; where the system does not tell it, its architecture."""
    return next((value for name, value in _cpu_facts() if name == "model name"), platform.processor() or "cpu")


def processor_flags() -> set[str]:
    """Return the instruction sets of the processor as Linux names them; none where the system does not tell."""
    return next((set(value.split()) for name, value in _cpu_facts() if name == "flags"), set())


def has_bf16_instructions() -> bool:
    """Tell whether the processor multiplies bfloat16 itself: x86 with AVX512_BF16 or AMX; others count as without."""
    return not processor_flags().isdisjoint({"avx512_bf16", "amx_bf16"})


def usable_cores() -> int:
    """Count the cores that this process may use, which on a shared machine, as under Slurm, are not all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_system_file(path: str) -> str:
    """Read a file such as /proc/self/status; empty where the system has none."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


@cache
def _cpu_facts() -> tuple[tuple[str, str], ...]:
    pairs = (line.partition(":") for line in read_system_file("/proc/cpuinfo").splitlines())
    return tuple((name.strip(), value.strip()) for name, _, value in pairs)
