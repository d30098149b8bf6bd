"""docs/design.md holds: its table of commands is that of dvc.yaml, its packages are those of src."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DESIGN = (ROOT / "docs/design.md").read_text(encoding="utf-8")
LETTERS = {
    "${dataset}": "D",
    "${item.model}": "M",
    "${item.fold}": "F",
    "${folds[0]}": "F",
    "${item.seed}": "S",
    "${seeds[0]}": "S",
}


def command_of(stage: dict) -> str:
    command = " ".join(stage["cmd"].split())
    for placeholder, letter in LETTERS.items():
        command = command.replace(placeholder, letter)
    return command


def test_the_table_of_commands_is_that_of_dvc_yaml() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    shown = dict(re.findall(r"^\| (\w+) \| `(python [^`]+)` \|", DESIGN, re.MULTILINE))
    assert shown == {name: command_of(stage) for name, stage in stages.items() if name != "check"}


def test_the_table_of_packages_is_that_of_the_library() -> None:
    table = DESIGN.partition("## The rooms of the library")[2].partition("##")[0]
    shown = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", table, re.MULTILINE)
    package = ROOT / "src/weldbench"
    packages = [path.parent.name for path in package.glob("*/__init__.py")]
    assert sorted(shown) == sorted([*packages, "cli", "errors"])
