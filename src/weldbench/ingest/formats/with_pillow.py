"""What Pillow reads without loss: BMP, GIF, WebP, AVIF, JPEG, and PNG but for the 16-bit colors."""

import io
import logging
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

from weldbench.errors import BadFrameError
from weldbench.ingest.formats.exif import orientation_of
from weldbench.ingest.formats.samples import MAX_PIXELS, Contents, Samples, check_size, not_read

# Its complaints about metadata would reach the terminal, once for every frame; what counts is raised.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

_COLORS = {"P", "PA", "RGB", "RGBX", "RGBA", "YCbCr"}


def read(data: bytes, file_format: str) -> Contents:
    """Read a file of one of Pillow's formats, by its name in Pillow.

    Raises:
        BadFrameError: It is too large, or of a kind without gray levels. Pillow itself raises nearly anything.
    """
    image = _opened(data, file_format)
    count = getattr(image, "n_frames", 1)
    return Contents(count, _frames(image, count))


def _opened(data: bytes, file_format: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=[file_format])
    except Image.DecompressionBombError:
        raise BadFrameError(f"it declares too many pixels; {MAX_PIXELS} is the most that is read") from None
    except UnidentifiedImageError:
        raise BadFrameError(f"it is a damaged picture (the header of this {file_format} cannot be read)") from None
    check_size(*image.size)
    return image


def _frames(image: Image.Image, count: int) -> Iterator[Samples]:
    for number in range(count):
        if number:
            image.seek(number)
            check_size(*image.size)
        image.load()
        orientation, remarks = orientation_of(image.info.get("exif"))
        yield _samples(image)._replace(orientation=orientation, remarks=remarks)


def _samples(image: Image.Image) -> Samples:
    if image.mode.startswith("I;16"):
        return Samples(np.asarray(image).astype(np.uint16)[:, :, None], 65535, "gray")
    if image.mode == "CMYK":
        return Samples(np.asarray(image), 255, "cmyk")
    if image.mode in {"1", "L", "LA"}:
        levels = np.asarray(image.convert("LA" if image.has_transparency_data else "L"))
        return Samples(levels.reshape(*levels.shape[:2], -1), 255, "gray")
    if image.mode not in _COLORS:
        raise not_read(f"{image.format} with levels that Pillow calls {image.mode}")
    return Samples(np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")), 255, "rgb")
