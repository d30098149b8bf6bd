"""The page for people: three files of the package, and nothing from outside."""

from importlib.resources import files

from fastapi import APIRouter, Response

_FILES = files("weldbench.deploy.serve") / "static"

page = APIRouter(include_in_schema=False)


@page.get("/")
async def index() -> Response:
    """Send the page."""
    return _sent("page.html", "text/html")


@page.get("/page.css")
async def style() -> Response:
    """Send its looks."""
    return _sent("page.css", "text/css")


@page.get("/page.js")
async def script() -> Response:
    """Send its program."""
    return _sent("page.js", "text/javascript")


def _sent(name: str, kind: str) -> Response:
    # A page of an older weldbench must not talk to a newer server.
    return Response((_FILES / name).read_bytes(), media_type=kind, headers={"Cache-Control": "no-cache"})
