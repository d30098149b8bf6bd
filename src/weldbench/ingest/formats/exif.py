"""The orientation of a picture, the one entry of its metadata that counts."""

from PIL import ExifTags, Image

UPRIGHT = 1
_UNREADABLE = "EXIF data that cannot be read, so the frame is taken as upright"


def orientation_of(exif: bytes | None) -> tuple[int, tuple[str, ...]]:
    """Find the orientation in a block of EXIF data.

    Args:
        exif: The block, with or without `Exif` in front; None if the file has none.

    Returns:
        1 to 8, which is 1 where the tag is absent or means nothing; and remarks for the report.
    """
    if not exif:
        return UPRIGHT, ()
    tags = Image.Exif()
    try:
        tags.load(exif)
        return valid(tags.get(ExifTags.Base.Orientation)), ()
    except Exception:
        # Pillow raises nearly anything here. Damage to metadata must not cost the pixels.
        return UPRIGHT, (_UNREADABLE,)


def valid(orientation: object) -> int:
    """Return an orientation that is one of the eight, else upright."""
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else UPRIGHT
