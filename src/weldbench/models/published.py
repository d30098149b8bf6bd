"""Files of published weights: their names end in the first digits of their sha256."""

import hashlib
from pathlib import Path


def sha256_fits_name(path: Path) -> bool:
    """Tell whether a file such as `resnet18-f37072fd.pth` holds what its name says.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(path.stem.rsplit("-", 1)[1])
