"""The subcommands of `weldbench` are told alike, and refuse alike."""

import argparse
import shutil
import sys
from pathlib import Path

import pytest

from weldbench import cli
from weldbench.planning.doctor_command import add_doctor

ROOT = Path(__file__).parents[2]


def subcommands() -> dict[str, argparse.ArgumentParser]:
    commands = argparse.ArgumentParser(prog="weldbench").add_subparsers(action=cli._Subcommands)
    add_doctor(commands)
    cli._add_others(commands)
    return commands.choices


OPTIONS = [
    pytest.param(option, id=f"{name} {option.option_strings[0]}")
    for name, parser in subcommands().items()
    for option in parser._actions
    if option.option_strings and option.dest != "help"
]
OF_A_DATASET = [name for name, parser in subcommands().items() if "--dataset" in parser._option_string_actions]


@pytest.mark.parametrize("option", OPTIONS)
def test_the_help_of_an_option_names_its_default(option: argparse.Action) -> None:
    assert option.help
    if option.default not in (None, False):
        assert "default: " in option.help


@pytest.mark.parametrize("option", OPTIONS)
def test_the_help_of_an_option_says_what_it_takes(option: argparse.Action) -> None:
    # Without a metavar argparse shows the option's own name once more, as in `--cores CORES`.
    takes_a_value = option.nargs != 0 and not option.choices
    assert bool(option.metavar) == takes_a_value


@pytest.mark.parametrize("name", subcommands())
def test_the_help_of_a_command_begins_with_what_it_is_for(name: str) -> None:
    commands = argparse.ArgumentParser(prog="weldbench").add_subparsers(action=cli._Subcommands)
    add_doctor(commands)
    cli._add_others(commands)
    in_the_list = next(action.help for action in commands._choices_actions if action.dest == name)
    before_the_options = commands.choices[name].format_help().partition("options:")[0]
    assert in_the_list.lower() in " ".join(before_the_options.split()).lower()


@pytest.mark.parametrize("name", OF_A_DATASET)
def test_an_unknown_dataset_is_refused_before_anything_else_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["weldbench", name, "--dataset", "welsim"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: there is no dataset `welsim` in the section datasets, which has: weldsim, ")


def test_all_subcommands_that_concern_one_dataset_take_its_name() -> None:
    assert set(OF_A_DATASET) == {"plan", "verify", "plan-evidence", "review"}
