"""Every random stream stands in one list, and nothing beside it makes a generator."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from weldbench.runtime.seeding import Stream, generator, seed_torch

ROOT = Path(__file__).parents[2]
SEEDING = ROOT / "src/weldbench/runtime/seeding.py"
SOURCES = sorted({*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")} - {SEEDING})
# What makes or seeds a generator, in numpy, torch, Fabric and the standard library.
MAKERS = {
    "default_rng",
    "RandomState",
    "SeedSequence",
    "manual_seed",
    "manual_seed_all",
    "seed_everything",
    "set_state",
}
MAKERS |= {"set_rng_state", "PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937", "Random", "SystemRandom"}
CALLED = {"Generator", "seed"}  # elsewhere these name a type, or a number
MODULES = {"random", "secrets", "numpy.random", "torch.random"}


def generators_made_in(code: str) -> Iterator[str]:
    """Yield what makes a generator beside seeding.py, or draws from the one that numpy or Python keeps."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in MAKERS:
                yield name
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in CALLED:
                yield name
            case ast.Call(keywords=keywords) if any(keyword.arg == "random_state" for keyword in keywords):
                yield "random_state"
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random"), attr=name):
                if name != "Generator":
                    yield f"np.random.{name}"
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name in MODULES)
            case ast.ImportFrom(module=module, names=names):
                whole = {f"{module}.{alias.name}" for alias in names}
                yield from whole & MODULES
                if module in MODULES and whole != {"numpy.random.Generator"}:
                    yield module
                yield from (alias.name for alias in names if alias.name in MAKERS)


# Constants, on which no result depends.
NO_STREAMS = {
    "planning/data_speed.py": {"default_rng"},  # noise to time work on
    "planning/network_speed.py": {"default_rng"},
    "training/linear_probe.py": {"random_state"},  # the start of a randomized decomposition, the same in every training
    "trust/out_of_folds.py": {"random_state"},  # the same in every review
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_only_the_list_of_streams_makes_generators(source: Path) -> None:
    allowed = NO_STREAMS.get("/".join(source.parts[-2:]), set())
    assert set(generators_made_in(source.read_text(encoding="utf-8"))) == allowed


@pytest.mark.parametrize(
    "code",
    [
        "rng = np.random.default_rng(3)",
        "rng = np.random.default_rng()",
        "make = numpy.random.default_rng",
        "from numpy.random import default_rng as make",
        "from numpy import random",
        "import numpy.random as draws",
        "np.random.shuffle(rows)",
        "rng = np.random.RandomState(seed=1)",
        "rng = np.random.Generator(np.random.PCG64(5))",
        "np.random.SeedSequence(5).spawn(2)",
        "torch.manual_seed(0)",
        "torch.cuda.manual_seed_all(0)",
        "from torch import manual_seed as fix",
        "g = torch.Generator().manual_seed(4)",
        "g = torch.Generator(device)",
        "fabric.seed_everything(1)",
        "import random",
        "from random import Random",
        "random.seed(4)",
        "frames.sample(10, random_state=0)",
    ],
)
def test_each_way_to_make_a_generator_is_seen(code: str) -> None:
    assert list(generators_made_in(code))


def test_a_generator_that_is_passed_on_is_none_that_is_made() -> None:
    code = "def draw(rng: np.random.Generator, seed: int) -> float:\n    return rng.normal() + self.seed\n"
    assert not list(generators_made_in(code))


def test_every_stream_is_used() -> None:
    trees = (ast.parse(source.read_text(encoding="utf-8")) for source in SOURCES)
    used = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Stream"
    }
    assert used == set(Stream.__members__)


def test_the_numbers_of_a_stream_decide_its_draws() -> None:
    draws = generator(Stream.BATCHES, 7, 0).random(4)
    assert draws.tolist() == np.random.default_rng([7, 0]).random(4).tolist()
    assert draws.tolist() != generator(Stream.BATCHES, 7, 1).random(4).tolist()
    assert draws.tolist() != generator(Stream.BATCHES, 0, 7).random(4).tolist()
    with pytest.raises(ValueError, match="non-negative"):
        generator(Stream.BATCHES, -1)


def test_torch_draws_the_same_for_the_same_numbers() -> None:
    def draws(*numbers: int) -> list[float]:
        seed_torch(Stream.DROPOUT, *numbers)
        return torch.rand(4).tolist()

    assert draws(3) == torch.rand(4, generator=torch.Generator().manual_seed(3)).tolist()
    assert draws(3, 1, 0) == draws(3, 1, 0)
    assert len({tuple(draws(*numbers)) for numbers in [(3, 1, 0), (3, 1, 1), (3, 0, 1), (1, 3, 0)]}) == 4
