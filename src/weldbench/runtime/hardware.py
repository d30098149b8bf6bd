"""Devices, precision, threads: where a network computes, and that it computes the same bits every time."""

import ctypes
import logging
import os
import platform
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

from weldbench.runtime.processor import has_bf16_instructions, processor_name, read_system_file

try:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
except ModuleNotFoundError:  # the package `lightning` carries the same library under another name
    from lightning.fabric import Fabric  # type: ignore[no-redef]
    from lightning.fabric.plugins.environments.lightning import LightningEnvironment  # type: ignore[no-redef]

from weldbench.config.training import Hardware
from weldbench.errors import InputError

__all__ = [
    "Fabric",
    "choose_device",
    "device_name",
    "has_native_bf16",
    "in_force",
    "memory_for",
    "memory_for_training",
    "peak_memory_bytes",
    "prepare",
    "uses_bf16",
]

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of mallopt(3)


def prepare(hardware: Hardware) -> Fabric:
    """Choose device and precision, start the processes, make torch deterministic, and keep the memory of its steps.

    With `devices` above 1 this starts the other processes, which run the same command from its beginning.

    Raises:
        InputError: The device that params.yaml names is not there.
    """
    # cuBLAS reads this once, when it starts; without it matrix products on a GPU differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(hardware.threads)
    torch.use_deterministic_algorithms(True)
    # Filling every fresh tensor with NaN would only hide the cost of determinism, not add to it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    # What is called float32 is: by default the convolutions of a GPU keep 10 bits of the 23 after the point (TF32).
    torch.backends.cudnn.allow_tf32 = False
    _keep_freed_memory()
    # Every training records its precision; that Fabric says it too is no news.
    logging.getLogger(Fabric.__module__.partition(".")[0]).setLevel(logging.WARNING)
    device = choose_device(hardware.device)
    fabric = Fabric(
        accelerator=device,
        devices=hardware.devices,
        strategy="ddp" if hardware.devices > 1 else "auto",
        precision="bf16-mixed" if uses_bf16(hardware.precision, device) else "32-true",
        # Within a job of Slurm Fabric would take its number of tasks for that of the processes.
        plugins=[LightningEnvironment()],
    )
    fabric.launch()
    return fabric


def _keep_freed_memory() -> None:
    """Let glibc keep what a step frees for the next step.

    As it is, it returns large blocks to the system, which hands them out again page by page, each cleared. On two cores
    of an EPYC that was a third of the time of Conv6's step at 112 pixels, and a fifth of ResNet-18's at 224.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)


@contextmanager
def memory_for(purpose: str, remedy: str) -> Iterator[None]:
    """Run a block that needs the memory of a GPU.

    Args:
        purpose: What needs it, such as `models.resnet18 with batch_size 32`.
        remedy: What to do where it is too small.

    Raises:
        InputError: It is too small.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        name = torch.cuda.get_device_name() if torch.cuda.is_available() else "this device"
        raise InputError(f"params.yaml: the memory of {name} is too small for {purpose}; {remedy}") from None


def memory_for_training(name: str, batch_size: int, input_size_px: int) -> AbstractContextManager[None]:
    """Run a block that trains the model `name` of params.yaml on a GPU; raises as `memory_for` does."""
    purpose = f"models.{name} with batch_size {batch_size} and input_size_px {input_size_px}"
    return memory_for(purpose, "lower one of them")


def choose_device(wanted: str) -> str:
    """Return `cpu`, `cuda` or `mps` for the `device` of params.yaml.

    Raises:
        InputError: This machine has no such device.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, there in present.items() if there)
    if not present[wanted]:
        raise InputError(f"params.yaml: hardware.device is {wanted}, but this machine has none; set it to auto or cpu")
    return wanted


def in_force(hardware: Hardware, fabric: Fabric) -> dict[str, Any]:
    """Return the section `hardware` with the device and the precision that `auto` stands for here."""
    precision = "bf16" if uses_bf16(hardware.precision, fabric.device.type) else "fp32"
    return hardware.model_dump() | {"device": fabric.device.type, "precision": precision}


def uses_bf16(precision: str, device: str) -> bool:
    """Tell whether a network computes in bfloat16 on `device` under the `precision` of params.yaml."""
    return precision == "bf16" or (precision == "auto" and has_native_bf16(device))


def has_native_bf16(device: str) -> bool:
    """Tell whether the hardware multiplies bfloat16 itself; elsewhere it is emulated, and slower than float32.

    NVIDIA: compute capability 8.0 (Ampere) or newer. x86: AVX512_BF16 or AMX. Others count as without.
    """
    if device == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    return device == "cpu" and has_bf16_instructions()


def peak_memory_bytes(device: torch.device) -> int:
    """Return the most memory that this process held so far: of the GPU where there is one, else of the machine."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # On Linux getrusage also counts what the process held that started this one; the kernel's own mark does not.
    if marks := re.search(r"VmHWM:\s+(\d+) kB", read_system_file("/proc/self/status")):
        return int(marks[1]) * 1024
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_name(device: torch.device) -> str:
    """Return the name that the maker gave to the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor_name() if device.type == "cpu" else device.type
