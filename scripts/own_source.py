"""Import weldbench from the `src` beside this folder: the code that the engines watch, whatever is installed.

The first line of every script. An editable installation may belong to another checkout, or to the workspace of a queued
experiment. Processes that a script starts, such as the kernel of the report, inherit the path by the environment.
"""

import os
import sys
from pathlib import Path

SOURCE = str(Path(__file__).resolve().parents[1] / "src")
sys.path.insert(0, SOURCE)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SOURCE, os.environ.get("PYTHONPATH")]))
