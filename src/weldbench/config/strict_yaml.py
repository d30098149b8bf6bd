"""Reading a YAML file so that both engines see the same in it.

Snakemake and this library read YAML 1.1 (PyYAML), DVC reads YAML 1.2 (ruamel.yaml): `010` is 8 to one and 10 to the
other, `yes` is true or a text, `1e-3` a text or a number. A key that stands twice is an error to DVC alone. Here all of
it is an error, with key and line.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from weldbench.errors import InputError

Key = tuple[str | int, ...]
_MARKUP = {
    yaml.AliasToken: "an alias (*name)",
    yaml.AnchorToken: "an anchor (&name)",
    yaml.TagToken: "a tag (!name)",
    yaml.DirectiveToken: "a directive (%NAME)",
}
# What every reader of YAML takes for the same number. `.inf` and `.nan` are left to the checks of the sections.
_DECIMAL = re.compile(r"[-+]?(0|[1-9]\d*|\d*\.\d*([eE][-+]\d+)?|\.(inf|Inf|INF|nan|NaN|NAN))")
_KINDS = (yaml.ScalarNode, yaml.SequenceNode, yaml.MappingNode)


@dataclass(frozen=True)
class Document:
    """What a YAML file holds.

    Attributes:
        values: Dictionaries, lists and scalars.
        lines: Line, counted from 1, of every key and list item, by its path.
        written: How every scalar is written in the file, by its path.
    """

    values: Any
    lines: dict[Key, int]
    written: dict[Key, str]


def read_yaml(path: Path | str) -> Document:
    """Read a YAML file that means the same in YAML 1.1 and 1.2.

    Raises:
        InputError: The file cannot be read, is no YAML, has a key twice, uses anchors, tags or directives, or holds a
            scalar that the two versions of YAML read differently.
    """
    path = Path(path)
    text = _text(path)
    try:
        _refuse_markup(path, text)
        reader = _Reader()
        values = reader.read(text)
    except yaml.MarkedYAMLError as error:
        raise _no_yaml(path, error.problem, error.problem_mark) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise InputError(f"{path}: line {line}: this is no valid YAML: {error.reason}; delete that character") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: this is no valid YAML: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: its lists or sections are nested too deeply") from None
    if reader.problems:
        raise InputError(f"{path}: {listed(reader.problems)}")
    return Document(values, reader.lines, reader.written)


def listed(problems: list[str]) -> str:
    """Put problems one below the other; one alone stands for itself."""
    return problems[0] if len(problems) == 1 else "\n  - ".join([f"{len(problems)} problems", *problems])


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run the command in the folder that holds it") from None
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: line {line}: this is no valid YAML, as it is not UTF-8") from None


def _refuse_markup(path: Path, text: str) -> None:
    # What an alias repeats changes in all its places when `dvc exp run -S` sets one; a directive changes the dialect.
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if what := _MARKUP.get(type(token)):
            line = token.start_mark.line + 1
            raise InputError(f"{path}: line {line}: {what} has no place here; write the value itself")


def _no_yaml(path: Path, problem: str | None, mark: Any) -> InputError:
    line = f"line {mark.line + 1}: " if mark else ""
    advice = (
        "look at this line and the one above: keys of one section begin in the same column, each bracket is closed, "
        "and a text with `:` or `\\` stands in 'single quotes'"
    )
    return InputError(f"{path}: {line}this is no valid YAML: {problem}; {advice}")


def _as_dvc_reads(text: str) -> tuple[Any, Callable[[Any], Any]]:
    """Return the root of a text's nodes and what makes a value of a scalar, both as DVC has them."""
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    except ModuleNotFoundError:
        # It comes with DVC: on a machine with neither, as for the benchmark of a GPU, there is one reader only.
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.SafeLoader("").construct_object
    reader = YAML(typ="safe")

    def construct(node: Any) -> Any:
        try:
            return reader.constructor.construct_object(node)
        except YAMLError as error:
            raise yaml.YAMLError(str(error)) from None

    try:
        return reader.compose(text), construct
    except YAMLError as error:
        problem, mark = getattr(error, "problem", str(error)), getattr(error, "problem_mark", None)
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark) from None


@dataclass
class _Reader:
    """Walks through what both parsers make of a text, side by side, and collects the differences."""

    lines: dict[Key, int] = field(default_factory=dict)
    written: dict[Key, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def read(self, text: str) -> Any:
        one, self.construct_one = yaml.compose(text, Loader=yaml.SafeLoader), yaml.SafeLoader("").construct_object
        two, self.construct_two = _as_dvc_reads(text)
        return None if one is None else self._value(one, two, ())

    def _value(self, one: Any, two: Any, key: Key) -> Any:
        self.lines[key] = one.start_mark.line + 1
        if [isinstance(one, kind) for kind in _KINDS] != [one.id == two.id and isinstance(one, k) for k in _KINDS]:
            self._tell(key, one, "the two versions of YAML read it differently")
            return None
        if isinstance(one, yaml.SequenceNode):
            items = enumerate(zip(one.value, two.value, strict=True))
            return [self._value(*item, (*key, number)) for number, item in items]
        if isinstance(one, yaml.MappingNode):
            return self._mapping(one, two, key)
        self.written[key] = one.value
        return self._scalar(one, two, key)

    def _mapping(self, one: yaml.MappingNode, two: Any, key: Key) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        first_lines: dict[Any, int] = {}
        for (key_one, value_one), (key_two, value_two) in zip(one.value, two.value, strict=True):
            here = (*key, str(key_one.value) if isinstance(key_one, yaml.ScalarNode) else "?")
            if not isinstance(key_one, yaml.ScalarNode) or key_one.tag.endswith(":merge"):
                self._tell(here, key_one, "a key is a name")
                continue
            name = self._scalar(key_one, key_two, here)
            if name in first_lines:
                self._tell(here, key_one, f"the key is already in line {first_lines[name]}; delete one of them")
                continue
            first_lines[name] = key_one.start_mark.line + 1
            found[name] = self._value(value_one, value_two, (*key, name))
            self.lines[(*key, name)] = first_lines[name]
        return found

    def _scalar(self, one: yaml.ScalarNode, two: Any, key: Key) -> Any:
        try:
            values = self.construct_one(one), self.construct_two(two)
        except (ValueError, ArithmeticError, yaml.YAMLError):
            self._tell(key, one, f"{_shortened(one.value)} is no value in YAML; put quotes around a text")
            return None
        if repr(values[0]) != repr(values[1]):
            self._tell(
                key,
                one,
                f"{one.value} is {_named(values[0])} to Snakemake and {_named(values[1])} to DVC; "
                f"write {' or '.join(dict.fromkeys(map(_plain, sorted(values, key=_is_text))))}",
            )
        elif type(values[0]) in {int, float} and not _DECIMAL.fullmatch(one.value):
            self._tell(key, one, f"{one.value} is an unusual way to write a number; write {_plain(values[0])}")
        return values[0]

    def _tell(self, key: Key, node: yaml.Node, problem: str) -> None:
        self.problems.append(f"line {node.start_mark.line + 1}: `{'.'.join(map(str, key))}`: {problem}")


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _named(value: Any) -> str:
    match value:
        case str():
            return f"the text '{value}'"
        case bool() | None:
            return _plain(value)
        case float() if not math.isfinite(value):
            return "infinity"
        case int() | float():
            return f"the number {_plain(value)}"
        case _:
            return f"the date {value}"


def _plain(value: Any) -> str:
    """Write a value so that every version of YAML reads it back."""
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return f"{Decimal(repr(value)):f}".removesuffix(".0")
        case float():
            return "a finite number"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
