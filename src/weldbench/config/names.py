"""What datasets and models may be called."""

import re
from typing import Annotated

from pydantic import AfterValidator


def _plain(name: str) -> str:
    # Names stand in paths, in keys with dots between, and, unquoted, in the commands of both engines.
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError("a name consists of letters, digits, _ and -")
    return name


def _of_a_dataset(name: str) -> str:
    if name == "pretrained":
        raise ValueError("a dataset cannot be called pretrained, as models/pretrained/ holds the backbones")
    return name


def _of_a_model(name: str) -> str:
    if name.casefold() == "class":
        raise ValueError("a model cannot be called class, as that is a column of the tables with one column per model")
    return name


_Name = Annotated[str, AfterValidator(_plain)]
DatasetName = Annotated[_Name, AfterValidator(_of_a_dataset)]
ModelName = Annotated[_Name, AfterValidator(_of_a_model)]
