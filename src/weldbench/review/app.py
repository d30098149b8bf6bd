"""What the server of a review answers: the page, the list, frames, and decisions."""

import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, HTTPException, Response
from PIL import Image
from pydantic import BaseModel, ConfigDict

from weldbench.data.dataset import Dataset
from weldbench.errors import InputError
from weldbench.review.gate import LoopbackGate
from weldbench.review.session import FileChangedError, Session

_FILES = files("weldbench.review") / "static"
_KINDS = {"review.html": "text/html", "review.css": "text/css", "review.js": "text/javascript"}


class Decision(BaseModel):
    """What a person decided about frames `first` to `last` of a stretch; `label` is null for dropped frames."""

    model_config = ConfigDict(extra="forbid", strict=True)

    stretch: int
    label: str | None
    first: int
    last: int


def create_app(dataset: Dataset, session: Session, hosts: Collection[str]) -> FastAPI:
    """Build the app.

    Args:
        dataset: Whose frames are shown.
        session: That takes the decisions.
        hosts: That the server is reached by, with its port.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(LoopbackGate, hosts=hosts)
    shown = {int(row) for stretch in session.stretches for row in stretch.frames["row"]}

    @app.get("/")
    async def page() -> Response:
        return _sent("review.html")

    @app.get("/review.css")
    async def style() -> Response:
        return _sent("review.css")

    @app.get("/review.js")
    async def script() -> Response:
        return _sent("review.js")

    @app.get("/v1/review")
    async def review() -> dict[str, Any]:
        stretches = [stretch.told() | {"decision": session.decision(stretch)} for stretch in session.stretches]
        return {"classes": session.classes, "file": str(session.file), "stretches": stretches}

    @app.get("/v1/frames/{row}")
    async def frame(row: int) -> Response:
        if row not in shown:
            raise HTTPException(404, "this frame is not in the list")
        file = io.BytesIO()
        Image.fromarray(dataset.frames[row]).save(file, "PNG", compress_level=1)
        return Response(file.getvalue(), media_type="image/png")

    # These write one small file; in the event loop, so that one ends before the next begins.
    @app.post("/v1/decisions")
    async def decide(decision: Decision) -> dict[str, Any]:
        with _refusals_told():
            session.decide(decision.stretch, decision.label, decision.first, decision.last)
        return _state(session, decision.stretch)

    @app.post("/v1/undo")
    async def undo() -> dict[str, Any]:
        with _refusals_told():
            number = session.undo()
        return {"number": None} if number is None else _state(session, number)

    return app


@contextmanager
def _refusals_told() -> Iterator[None]:
    """Turn what a session refuses into an answer."""
    try:
        yield
    except FileChangedError as error:
        raise HTTPException(409, str(error)) from error
    except (InputError, OSError) as error:  # the file cannot be written
        raise HTTPException(507, str(error)) from error
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


def _state(session: Session, number: int) -> dict[str, Any]:
    return {"number": number, "decision": session.decision(session.stretches[number - 1])}


def _sent(name: str) -> Response:
    return Response((_FILES / name).read_bytes(), media_type=_KINDS[name])
