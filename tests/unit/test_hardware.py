import platform
import subprocess
import sys

import pytest
import torch

from weldbench.config.training import Hardware
from weldbench.errors import InputError
from weldbench.runtime.hardware import choose_device, has_native_bf16, prepare, uses_bf16


@pytest.mark.parametrize(
    ("flags", "native"),
    [("fpu avx2 avx512f avx512_bf16", True), ("fpu amx_bf16 amx_tile", True), ("fpu avx2 avx512f", False), ("", False)],
)
def test_bf16_is_chosen_where_the_cpu_has_it(monkeypatch, tmp_path, flags, native):
    monkeypatch.setattr("weldbench.runtime.processor._cpu_facts", lambda: [("model name", "A"), ("flags", flags)])
    assert has_native_bf16("cpu") is native
    assert uses_bf16("auto", "cpu") is native
    assert uses_bf16("bf16", "cpu")
    assert not uses_bf16("fp32", "cpu")


@pytest.mark.parametrize(("capability", "native"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_bf16_is_chosen_from_ampere_on(monkeypatch, capability, native):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert has_native_bf16("cuda") is native


def test_a_device_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"hardware\.device is cuda"):
        choose_device("cuda")


def test_preparing_fixes_threads_and_determinism():
    fabric = prepare(Hardware(device="cpu", threads=1, precision="fp32"))
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()
    assert (fabric.device.type, fabric.world_size) == ("cpu", 1)


@pytest.mark.parametrize("tasks", ["SLURM_NTASKS", "SLURM_NTASKS_PER_NODE"])
def test_within_a_job_of_slurm_the_processes_are_those_of_params(monkeypatch, tasks):
    for name, value in {"SLURM_JOB_NAME": "weld", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", tasks: "4"}.items():
        monkeypatch.setenv(name, value)
    assert prepare(Hardware(device="cpu", threads=1, precision="fp32")).world_size == 1


FAULTS = """
import resource, sys
import torch
from weldbench.config.training import Hardware
from weldbench.runtime.hardware import prepare

if sys.argv[1] == "prepared":
    prepare(Hardware(device="cpu", threads=1, precision="fp32"))
for _ in range(12):  # the heap finds its size in the first few
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(1 << 24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told what to do with freed memory")
def test_memory_that_a_step_freed_serves_the_next_one():
    def faults(how):
        return int(subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, check=True).stdout)

    assert faults("as it is") > 1000 > 100 > faults("prepared")


def test_peak_memory_is_that_of_this_process_alone():
    script = (
        "import torch; from weldbench.runtime.hardware import peak_memory_bytes as p; print(p(torch.device('cpu')))"
    )
    ballast = torch.ones(1 << 28)  # 1 GiB, which a child must not count as its own
    peak = int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    assert 1 << 26 < peak < ballast.nbytes
