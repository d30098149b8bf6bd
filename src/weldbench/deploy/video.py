"""The frames of a video, by FFmpeg's libraries (PyAV)."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from weldbench.deploy.sources import SourceFrame


def frames_of_video(path: Path) -> Iterator[SourceFrame]:
    """Yield the frames of a video as gray levels, 0 to 255 whatever the range of the file; one is held at a time.

    What is damaged is a frame with a problem, and the next frame that can be read follows.
    """
    number = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                yield SourceFrame(str(path), "", None, problem="there is no picture in this file, only sound or text")
                return
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            packets = container.demux(stream)
            while (packet := next(packets, None)) is not None:
                try:
                    for frame in packet.decode():
                        gray = np.ascontiguousarray(frame.to_ndarray(format="gray"), np.uint8)
                        yield SourceFrame(str(path), str(number), gray, frame.time)
                        number += 1
                except av.FFmpegError as error:
                    yield SourceFrame(str(path), str(number), None, problem=f"it is damaged ({error.strerror})")
                    number += 1
    except av.FFmpegError as error:
        yield SourceFrame(str(path), str(number), None, problem=f"the video cannot be read ({error.strerror})")
