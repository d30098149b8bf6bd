"""pydantic's findings, told as: which key, what is wrong, what is allowed, what was probably meant."""

import difflib
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from weldbench.config.models import ARCHITECTURES, Model
from weldbench.config.strict_yaml import Document, Key, listed


def describe(error: ValidationError, model: type[BaseModel], document: Document) -> str:
    """Put every problem of a failed validation of a document against `model` into one readable line each."""
    return listed([_line(detail, model, document) for detail in error.errors()])


def _line(detail: ErrorDetails, model: type[BaseModel], document: Document) -> str:
    keys = _keys_of_the_file(detail, document.values)
    problem = _problem(detail, model, keys, document)
    # What is wrong with several keys together begins with the one to look at: `freeze: with init: ...`.
    named = tuple(_message(detail).partition(": ")[0].split(".")) if detail["type"] == "value_error" else ()
    place = (*keys, *named)
    known = next((place[:end] for end in range(len(place), 0, -1) if place[:end] in document.lines), None)
    return f"line {document.lines[known]}: {problem}" if known else problem


def _message(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _problem(detail: ErrorDetails, model: type[BaseModel], keys: Key, document: Document) -> str:
    key, message = ".".join(map(str, keys)), _message(detail)
    if detail["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, document.values, detail["loc"][:-1])
        return f"`{key}` is an unknown key{_nearest(str(detail['loc'][-1]), allowed)}; allowed: {', '.join(allowed)}"
    if detail["type"] == "union_tag_invalid" and detail["ctx"]["discriminator"] == "'architecture'":
        return _unknown_architecture(key, detail["ctx"]["tag"], named=(*keys, "architecture") in document.lines)
    if detail["type"] in {"literal_error", "union_tag_invalid"}:
        allowed = _quoted(detail["ctx"].get("expected") or detail["ctx"]["expected_tags"])
        given = detail["ctx"].get("tag", detail["input"])
        if detail["ctx"].get("discriminator") == "'source'":
            key += ".source"
        return f"`{key}`: {given!r} is not allowed{_nearest(str(given), allowed)}; allowed: {', '.join(allowed)}"
    if detail["type"] == "missing":
        return f"`{key}` is missing"
    written = detail["input"] if isinstance(detail["input"], str | list) else document.written.get(keys)
    if written == "" and detail["input"] is None:
        return f"`{key}`: {message}, and it is empty"
    given = "" if written is None else f", not {repr(written) if written is detail['input'] else written}"
    return f"`{key}`: {message}{given}" if key else message


def _keys_of_the_file(detail: ErrorDetails, raw: Any) -> Key:
    """Drop from pydantic's location the names of union members, which stand in no file."""
    keys: list[str | int] = []
    here, location = raw, detail["loc"]
    for position, step in enumerate(location):
        inside = (isinstance(here, dict) and step in here) or (isinstance(here, list) and isinstance(step, int))
        if inside or (position == len(location) - 1 and detail["type"] == "missing"):
            keys.append(step)
        if inside:
            here = here[step]
    return tuple(keys)


def _unknown_architecture(key: str, architecture: str, named: bool) -> str:
    known = f"{_nearest(architecture, list(ARCHITECTURES))}; known: {', '.join(ARCHITECTURES)}"
    if named:
        return f"`{key}.architecture`: there is no architecture {architecture!r}{known}"
    return (
        f"`{key}`: there is no architecture {architecture!r}, and a model of another name needs a line "
        f"`architecture: ...` that says which network it is{known}"
    )


def _allowed_keys(model: Any, values: Any, location: tuple[int | str, ...]) -> list[str]:
    for step in location:
        values = values.get(step, {}) if isinstance(values, dict) else {}
        model = _step_into(model, step, values)
    # A model's name is its key, and no key of its section.
    return [key for key in model.model_fields if key != "name" or not issubclass(model, Model)]


def _step_into(annotation: Any, step: int | str, values: Any) -> Any:
    annotation = _bare(annotation)
    if get_origin(annotation) in {Union, UnionType}:
        return next(member for member in get_args(annotation) if _has_tag(member, step))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.model_fields[str(step)].annotation
    value = _bare(get_args(annotation)[-1])
    return ARCHITECTURES[values.get("architecture", step)] if value is Model else value


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _has_tag(member: type[BaseModel], tag: int | str) -> bool:
    return any(tag in get_args(field.annotation) for field in member.model_fields.values())


def _quoted(listed: str) -> list[str]:
    return [part.strip(" '") for part in listed.replace(" or ", ", ").split(",")]


def _nearest(given: str, allowed: list[str]) -> str:
    close = difflib.get_close_matches(given, allowed, n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""
