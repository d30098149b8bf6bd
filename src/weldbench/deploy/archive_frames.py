"""The frames of a split as the archive holds them: decoded again, at their own size, as a camera would give them."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weldbench.config.data import Dataset as DatasetSettings
from weldbench.data.dataset import Dataset
from weldbench.deploy.sources import camera_frame
from weldbench.errors import BadFrameError, InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.decode import decode
from weldbench.ingest.layout import read_layout
from weldbench.ingest.original import hold_against, original_of, read_facts
from weldbench.ingest.unused import Unused


def archive_frames(
    path: Path, settings: DatasetSettings, dataset: Dataset, rows: NDArray[np.int64]
) -> Iterator[NDArray[np.uint8]]:
    """Yield frames of a dataset from the bytes of its archive, one at a time.

    Args:
        path: archive.zip.
        settings: Its section of `datasets`, by which ingest read it.
        dataset: What ingest made of it.
        rows: Of the manifest, in the order of the result.

    Yields:
        uint8, shape (height, width).

    Raises:
        InputError: The archive is another one than that of the ingested frames.
    """
    facts = read_facts(path)
    with Archive(original_of(path), encoding=settings.name_encoding) as archive:
        hold_against(archive, facts)
        unpacked = Unused(**facts["unused"]) if facts else None
        layout = read_layout(archive, settings.classes, settings.run_pattern, unpacked, settings.good_class)
        members = {(frame.published_split, frame.path): frame.member for frame in layout.frames}
        lines = dataset.manifest.iloc[rows]
        for split, name, expected in zip(lines["published_split"], lines["path"], lines["sha256"], strict=True):
            try:
                data = archive.read(members[split, name])
                if sha256(data).hexdigest() != expected:
                    raise BadFrameError("its bytes are not those that were ingested")
                gray = decode(data).gray
            except (KeyError, BadFrameError) as error:
                raise InputError(f"{archive.name}: {name}: {error}; ingest again") from None
            yield camera_frame(gray, dataset.frames.shape[1])
