import pytest
import torch

from weldbench.config.training import Hardware
from weldbench.errors import InputError
from weldbench.hardware import choose_device, has_native_bf16, prepare, uses_bf16


@pytest.mark.parametrize(
    ("flags", "native"),
    [("fpu avx2 avx512f avx512_bf16", True), ("fpu amx_bf16 amx_tile", True), ("fpu avx2 avx512f", False), ("", False)],
)
def test_bf16_is_chosen_where_the_cpu_has_it(monkeypatch, tmp_path, flags, native):
    monkeypatch.setattr("weldbench.hardware._cpu_facts", lambda: [("model name", "A"), ("flags", flags)])
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
