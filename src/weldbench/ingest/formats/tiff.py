"""TIFF and BigTIFF: tifffile tells what a file holds, and reads it at its full depth."""

import io
import logging
import re

import numpy as np
import tifffile

from weldbench.errors import BadFrameError
from weldbench.ingest.formats import jpeg
from weldbench.ingest.formats.exif import UPRIGHT, valid
from weldbench.ingest.formats.samples import SAVE_AS, Color, Contents, Samples, check_size, not_read

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Its complaints about metadata would reach the terminal, once for every frame; what counts is raised.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

# Of NewSubfileType: a preview of another picture, or a mask for one.
_PREVIEW, _MASK = 1, 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _INKS, _YCBCR = 0, 1, 2, 3, 5, 6
_COLORS: dict[int, Color] = {
    _WHITE_IS_ZERO: "gray",
    _BLACK_IS_ZERO: "gray",
    _RGB: "rgb",
    _PALETTE: "gray",
    _INKS: "cmyk",
    _YCBCR: "rgb",
}
_CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}
_MAX_CHANNELS = 8
_UNSIGNED = {1, 4}  # SampleFormat; by 4 a program says that it does not know
_NUMBERS = {2: "signed", 3: "floating-point", 5: "complex", 6: "complex"}
_JPEG = 7  # tifffile makes red, green and blue of its YCbCr
# Read are uncompressed files, and codecs that never write more than they are told to: three for fax, LZW, Deflate
# twice, PackBits, LZMA, Zstandard; and JPEG, whose size is looked at before.
_COMPRESSIONS = {1, 2, 3, 4, 5, 8, 32946, 32773, 34925, 50000, _JPEG}
_CMYK = 1  # InkSet
_PREMULTIPLIED, _ALPHA = 1, 2  # ExtraSamples

# ImageJ's description of a stack.
_STACK = re.compile(r"ImageJ=.*?^images=([2-9]|[1-9]\d{1,8})$", re.DOTALL | re.MULTILINE)
_TAGS = {"photometric": 262, "orientation": 274, "ink_set": 332}


def read(data: bytes) -> Contents:
    """Read the pictures of a TIFF; previews and masks beside them do not count.

    Raises:
        BadFrameError: It is too large or damaged, or of a kind without gray levels. tifffile and imagecodecs
            raise nearly anything for a damaged file.
    """
    file = tifffile.TiffFile(io.BytesIO(data))
    pages = [page for page in file.pages if isinstance(page, tifffile.TiffPage)]
    if not pages:
        raise BadFrameError("it is a damaged picture (TIFF without a picture)")
    pictures = [page for page in pages if not page.subfiletype & (_PREVIEW | _MASK)]
    if not pictures and any(page.subifds for page in pages):
        raise not_read("TIFF with a preview in front of its picture, as raw files of cameras")
    pictures = pictures or pages[:1]
    if len(pages) == 1:
        _refuse_stack(pages[0], data)
    return Contents(len(pictures), (_samples(page, data) for page in pictures))


def _refuse_stack(page: tifffile.TiffPage, data: bytes) -> None:
    """Refuse pictures that follow the first one without a directory of their own, as ImageJ writes large stacks."""
    stack = _STACK.match(page.description)
    if stack and len(data) >= sum(page.dataoffsets[:1]) + int(stack[1]) * page.nbytes > page.nbytes:
        raise BadFrameError(f"it holds {stack[1]} pictures in one file; write each into a file of its own")


def _samples(page: tifffile.TiffPage, file_bytes: bytes) -> Samples:
    _check_kind(page)
    check_size(page.imagewidth, page.imagelength)
    _check_strips(file_bytes, page)
    orientation = valid(page.tags.valueof(_TAGS["orientation"], default=UPRIGHT))
    return _with_meaning(_levels(page), page)._replace(orientation=orientation)


def _check_kind(page: tifffile.TiffPage) -> None:
    """Refuse what has no gray levels, or none that everybody agrees on, by its name."""
    bits = page.bitspersample
    if isinstance(bits, tuple):
        raise not_read(f"TIFF with channels of {', '.join(map(str, bits))} bits")
    if bits > 16 or page.sampleformat not in _UNSIGNED:
        number = _NUMBERS.get(page.sampleformat, "unsigned")
        raise BadFrameError(f"it has {bits}-bit levels ({number} TIFF), a kind that is not read; {SAVE_AS}")
    if _TAGS["photometric"] not in page.tags:
        raise not_read("TIFF that does not say whether 0 is black or white")
    if page.photometric not in _COLORS:
        raise not_read(f"TIFF with {_name(page.photometric)} color")
    if page.compression not in _COMPRESSIONS:
        raise not_read(f"TIFF with {_name(page.compression)} compression")
    if page.photometric == _YCBCR and page.compression != _JPEG and page.is_subsampled:
        raise not_read("TIFF with subsampled YCbCr color")
    if page.photometric == _INKS and page.tags.valueof(_TAGS["ink_set"], default=_CMYK) != _CMYK:
        raise not_read("TIFF with inks other than CMYK")
    if page.imagedepth != 1 or page.samplesperpixel > _MAX_CHANNELS:
        raise not_read(f"TIFF of {page.imagedepth} layers and {page.samplesperpixel} channels")


def _name(code: int) -> str:
    return getattr(code, "name", f"unknown ({code})")


def _check_strips(data: bytes, page: tifffile.TiffPage) -> None:
    """Refuse what is cut off: tifffile takes a strip or tile that is absent for black."""
    if page.is_tiled:
        check_size(page.tilewidth, page.tilelength)
    starts, lengths = page.dataoffsets, page.databytecounts
    places = [slice(start, start + length) for start, length in zip(starts, lengths, strict=False) if start and length]
    if not 0 < len(places) == len(starts) == len(lengths) or any(place.stop > len(data) for place in places):
        raise BadFrameError("it is a damaged picture (TIFF: a part of its pixels is not in the file)")
    if page.compression == _JPEG:
        for place in places:
            check_size(*jpeg.declared_size(data[place]))


def _levels(page: tifffile.TiffPage) -> np.ndarray:
    """Read the levels as stored, shape (height, width, channels)."""
    planes, _, height, width, channels = page.shaped
    stored = page.asarray(squeeze=False, maxworkers=1).reshape(planes, height, width, channels)
    levels = np.moveaxis(stored, 0, 2).reshape(height, width, planes * channels)
    return levels.astype(np.uint8 if page.bitspersample <= 8 else np.uint16, copy=False)


def _with_meaning(levels: np.ndarray, page: tifffile.TiffPage) -> Samples:
    """Sort the channels into color and alpha, invert where 0 is white, and look up a palette."""
    color, white = _COLORS[page.photometric], 2**page.bitspersample - 1
    shown = _CHANNELS[color]
    if levels.shape[2] < shown:
        raise BadFrameError(f"it is a damaged picture (TIFF: {levels.shape[2]} channels, {shown} needed)")
    kinds = tuple(page.extrasamples or ())
    extra = levels.shape[2] - shown
    if color == "gray" and extra > 1:
        raise not_read(f"TIFF of {levels.shape[2]} channels that are not said to be a color")
    has_alpha = kinds[:1] in {(_PREMULTIPLIED,), (_ALPHA,), ()}
    alpha = levels[:, :, shown : shown + has_alpha]
    if _PREMULTIPLIED in kinds and alpha.min(initial=white) < white:
        raise not_read("TIFF with transparency multiplied into its levels")
    remarks = ("a channel that is no color left out",) if extra - alpha.shape[2] else ()
    colors = levels[:, :, :shown]
    if page.photometric == _WHITE_IS_ZERO:
        colors = white - colors
    elif page.photometric == _YCBCR and page.compression != _JPEG:
        # Y is the luminance, by the same weights.
        colors, color, remarks = colors[:, :, :1], "gray", ("color made gray by luminance", *remarks)
    elif page.photometric == _PALETTE:
        colors, color = _looked_up(colors[:, :, 0], np.asarray(page.colormap)), "rgb"
        alpha, white = np.where(alpha == white, 255, 0).astype(np.uint8), 255
    return Samples(np.concatenate([colors, alpha], axis=2), white, color, remarks=remarks)


def _looked_up(indices: np.ndarray, colormap: np.ndarray) -> np.ndarray:
    # 16 bits by the standard, whose low byte some programs leave at 0, and 8 with others.
    high_bytes = colormap >> 8 if colormap.max() > 255 else colormap
    looked_up: np.ndarray = high_bytes.astype(np.uint8).T[indices]
    return looked_up
