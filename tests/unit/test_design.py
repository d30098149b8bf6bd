"""docs/design.md holds: its table of commands is that of dvc.yaml, its packages are those of src."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "src/weldbench"
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
    packages = [path.parent.name for path in LIBRARY.glob("*/__init__.py")]
    assert sorted(shown) == sorted([*packages, "cli", "errors"])


def test_the_places_that_answer_questions_are_there() -> None:
    table = DESIGN.partition("## Where to find")[2].partition("##")[0]
    for line in (line for line in table.splitlines() if line.endswith(" |") and "`" in line):
        named = re.findall(r"`([\w/.]+)`", line.partition("? |")[2])
        paths = [
            ROOT / name if name.startswith(("rules", "tests")) else LIBRARY / name for name in named if "/" in name
        ]
        assert paths, line
        assert [path for path in paths if not path.exists()] == []
        texts = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
        for word in (word for word in named if "/" not in word):
            assert any(re.search(rf"\b(def|class|rule) {word}\b", text) for text in texts), word
