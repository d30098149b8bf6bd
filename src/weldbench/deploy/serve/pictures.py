"""The pictures of a request: its body, or the files of a form; and what can be wrong with them."""

import io
import warnings
from typing import NamedTuple

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from weldbench.deploy.serve.limits import Limits
from weldbench.errors import BadFrameError

_FORM = "multipart/form-data"
_FILE = {"type": "string", "format": "binary"}
ONE_PICTURE = {
    "required": True,
    "description": "A picture: PNG, JPEG, TIFF, BMP, WebP, PGM and more; color becomes gray.",
    "content": {
        "application/octet-stream": {"schema": _FILE},
        "image/png": {"schema": _FILE},
        _FORM: {"schema": {"type": "object", "required": ["frame"], "properties": {"frame": _FILE}}},
    },
}
MANY_PICTURES = {
    "required": True,
    "description": "The frames of one run, in filming order.",
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "required": ["frames"],
                "properties": {"frames": {"type": "array", "items": _FILE, "minItems": 1}},
            }
        }
    },
}


class SentPicture(NamedTuple):
    """A picture as a client sent it: a name, which opens nothing, and bytes."""

    name: str | None
    content: bytes


async def one_picture(request: Request) -> SentPicture:
    """Read the picture of a request.

    Raises:
        HTTPException: A form is malformed, or holds none or several.
    """
    if not _is_form(request):
        return SentPicture(None, await request.body())
    pictures = await _pictures_of_form(request, 1)
    return pictures[0]


async def many_pictures(request: Request, limits: Limits) -> list[SentPicture]:
    """Read the pictures of a form.

    Raises:
        HTTPException: It is no form, malformed, or holds none or too many.
    """
    if not _is_form(request):
        raise HTTPException(415, f"send the frames as the files of a form, {_FORM}")
    return await _pictures_of_form(request, limits.batch_frames)


def check_pixels(picture: bytes, limit: int) -> None:
    """Refuse a picture by the size that its header declares, before it is decoded.

    What Pillow does not know passes: decoding has a limit of its own.

    Raises:
        BadFrameError: It is too large.
    """
    with warnings.catch_warnings(action="ignore"):
        try:
            with Image.open(io.BytesIO(picture)) as header:
                pixels = header.width * header.height
        except Image.DecompressionBombError:
            pixels = limit + 1
        except Exception:  # Pillow raises nearly anything for a damaged header; decoding will say what is wrong
            return
    if pixels > limit:
        raise BadFrameError(f"it declares more than the {limit:,} pixels that this server takes")


class _InMemory(MultiPartParser):
    """Reads a form without temporary files: the gate has limited its size."""

    spool_max_size = 2**62


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


async def _pictures_of_form(request: Request, most: int) -> list[SentPicture]:
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=most, max_fields=10).parse()
    except (MultiPartException, KeyError, UnicodeError, ValueError, LookupError) as error:
        said = getattr(error, "message", None) or "it cannot be read"
        raise HTTPException(400, f"the form is malformed: {said}") from None
    files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
    if not files:
        raise HTTPException(400, "the form holds no file; send a picture as one of its files")
    return [SentPicture(file.filename or None, await file.read()) for file in files]
