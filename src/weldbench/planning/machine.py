"""What the doctor says about the machine: processor, GPU, memory, shared memory, temporary folder, disk."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from weldbench.planning.finding import Finding, gib
from weldbench.runtime.processor import has_bf16_instructions, processor_name, read_system_file, usable_cores

if TYPE_CHECKING:
    from weldbench.config import Params

SHARED_MEMORY = Path("/dev/shm")
_LEAST_SHARED_BYTES = 2**26  # what Docker gives a container
_LEAST_TEMPORARY_BYTES = 2**28  # the solver's files, the report's kernel, wheels that pip unpacks
_GPU_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # cgroups of version 2 and 1


def processor() -> Finding:
    """How many cores are there, and do they multiply bfloat16?"""
    bf16 = "bf16 in hardware" if has_bf16_instructions() else "no bf16 in hardware: networks compute in fp32"
    return Finding("processor", f"{processor_name()}, {usable_cores()} cores, {bf16}")


def gpu(params: "Params | None") -> Finding:
    """Is there a GPU, and does torch use it?"""
    name, wanted = "gpu", params.hardware.device if params else "auto"
    cpu = "set hardware.device in params.yaml to auto or cpu"
    try:
        asked = subprocess.run(_GPU_QUERY, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        if wanted == "cuda":
            return Finding(name, "none (no nvidia-smi), and hardware.device is cuda", "failure", cpu)
        return Finding(name, "none (no nvidia-smi): networks compute on the processor")
    if asked.returncode:
        said = (asked.stdout + asked.stderr).strip() or f"exit code {asked.returncode}"
        state, remedy = ("failure", cpu) if wanted == "cuda" else ("warning", "`nvidia-smi` again, after its advice")
        # With device auto Snakemake reserves the GPU by nvidia-smi, and torch then takes the processor.
        return Finding(name, f"nvidia-smi finds none: {said}", state, remedy)  # type: ignore[arg-type]
    cards = "; ".join(line.strip() for line in asked.stdout.splitlines() if line.strip())
    import torch  # only here: it takes seconds, and says whether it can use what is there

    if not torch.cuda.is_available():
        wheel = "`python -m pip install --force-reinstall --requirement requirements.lock`, or update the driver"
        return Finding(name, f"{cards}, but torch {torch.__version__} cannot use it", "warning", wheel)
    from weldbench.runtime.hardware import has_native_bf16

    bf16 = "bf16 in hardware" if has_native_bf16("cuda") else "no bf16 in hardware"
    unused = ", not used: hardware.device is cpu" if wanted == "cpu" else ""
    return Finding(name, f"{cards} (name, driver, memory), {bf16}, torch {torch.__version__} can use it{unused}")


def memory(needed_bytes: int | None) -> Finding:
    """Is there enough memory, within what a container or a job of Slurm may take?"""
    name, (total, available) = "memory", machine_memory()
    if total is None or available is None:
        return Finding(name, "this system does not tell")
    said = f"{gib(total)}, {gib(available)} of it free"
    if needed_bytes is None:
        return Finding(name, said)
    said += f"; the largest stage takes about {gib(needed_bytes)}"
    if total < needed_bytes:
        remedy = "lower split.cap, ingest.frame_size_px or input_size_px in params.yaml, or give the container more"
        return Finding(name, said, "failure", remedy)
    if available < needed_bytes:
        return Finding(name, said, "warning", "`ps aux --sort=-rss | head` shows what holds it")
    return Finding(name, said)


def machine_memory() -> tuple[int | None, int | None]:
    """Return the bytes of memory that this process may have, and those of them that are free; None where not told."""
    told = dict(re.findall(r"^(\w+):\s+(\d+) kB$", read_system_file("/proc/meminfo"), re.MULTILINE))
    total, available = (int(told[key]) * 1024 if key in told else None for key in ("MemTotal", "MemAvailable"))
    for path in _LIMITS:
        if total and available is not None and (limit := read_system_file(path).strip()).isdigit():
            total, available = min(total, int(limit)), min(available, int(limit))
    return total, available


def shared_memory(params: "Params | None") -> Finding:
    """Is /dev/shm large enough? Trainings that share each batch exchange their gradients there."""
    name, devices = f"{SHARED_MEMORY}", params.hardware.devices if params else 1
    if not SHARED_MEMORY.is_dir():
        return Finding(name, "this system has none; only trainings with hardware.devices above 1 use it")
    size_bytes = shutil.disk_usage(SHARED_MEMORY).total
    if size_bytes >= _LEAST_SHARED_BYTES * devices:
        return Finding(name, gib(size_bytes))
    state = "failure" if devices > 1 else "warning"
    remedy = f"`sudo mount -o remount,size=1G {SHARED_MEMORY}`, or `docker run --shm-size=1g`"
    return Finding(name, f"only {gib(size_bytes)}", state, remedy)  # type: ignore[arg-type]


def temporary_folder() -> Finding:
    """Can Snakemake's solver and the report write their temporary files?"""
    name = "temporary folder"
    if wanted := next((os.environ[key] for key in ("TMPDIR", "TEMP", "TMP") if os.environ.get(key)), None):
        folder, shown = Path(wanted), shlex.quote(wanted)
        if not folder.is_dir():
            return Finding(name, f"TMPDIR names {wanted}, which is no folder", "failure", f"mkdir -p {shown}")
        if not _writable(folder):
            return Finding(name, f"TMPDIR names {wanted}, where you may not write", "failure", "unset TMPDIR TEMP TMP")
    else:
        folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    said = f"{folder}, {gib(free)} free"
    if free < _LEAST_TEMPORARY_BYTES:
        return Finding(name, said, "warning", 'mkdir -p "$HOME/tmp" && export TMPDIR="$HOME/tmp"')
    return Finding(name, said)


def disk(needed_bytes: int | None, present_bytes: int) -> Finding:
    """Is there enough space for the dataset of params.yaml?

    Args:
        needed_bytes: Of a whole run; None where params.yaml does not say which.
        present_bytes: Of its files that are here already.
    """
    name, here = "free disk", Path.cwd()
    if not _writable(here):
        return Finding(
            name, f"you may not write into {here}", "failure", f"sudo chown -R $USER {shlex.quote(str(here))}"
        )
    free = shutil.disk_usage(here).free
    if needed_bytes is None:
        return Finding(name, f"{gib(free)} in {here}")
    missing = max(0, needed_bytes - present_bytes)
    said = f"{gib(free)} in {here}; a whole run takes about {gib(needed_bytes)}, of which {gib(present_bytes)} are here"
    if free < missing:
        return Finding(name, said, "failure", "make room: `du -sh * .dvc/cache` shows where it went, `dvc gc -w` helps")
    return Finding(name, said)


def _writable(folder: Path) -> bool:
    """Try it: rights alone do not tell of a read-only or a full file system."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
