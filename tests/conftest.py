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


@pytest.fixture
def sample() -> Path:
    """The folder of real frames that the environment variable WELDBENCH_SAMPLE names."""
    folder = os.environ.get("WELDBENCH_SAMPLE")
    if not folder:
        pytest.skip("WELDBENCH_SAMPLE does not name a folder of real frames")
    return Path(folder)
