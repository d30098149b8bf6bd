"""What several tests need; this file also puts the folder on the import path, for the modules that make test data."""

import contextlib
import os
from pathlib import Path

import pytest

with contextlib.suppress(ModuleNotFoundError):  # a machine that is lent for its GPU has no hypothesis
    from hypothesis import settings

    # No test fails for its time, however busy the machine is.
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that take longest: whole workflows, then what is marked slow or long."""
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.path.parent.name != "workflow", item.path not in slow))


@pytest.fixture
def sample() -> Path:
    """The folder of real frames that the environment variable WELDBENCH_SAMPLE names."""
    folder = os.environ.get("WELDBENCH_SAMPLE")
    if not folder:
        pytest.skip("WELDBENCH_SAMPLE does not name a folder of real frames")
    return Path(folder)
