"""What several tests need; this file also puts the folder on the import path, for the modules that make test data."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def sample() -> Path:
    """The folder of real frames that the environment variable WELDBENCH_SAMPLE names."""
    folder = os.environ.get("WELDBENCH_SAMPLE")
    if not folder:
        pytest.skip("WELDBENCH_SAMPLE does not name a folder of real frames")
    return Path(folder)
