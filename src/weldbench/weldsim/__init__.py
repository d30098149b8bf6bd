"""Rendered camera frames of TIG welding: the embedded dataset and the stream that backbones are pretrained on."""

from weldbench.weldsim.film import render_batch
from weldbench.weldsim.published import frames_of, write_archive
from weldbench.weldsim.scene import CLASSES

__all__ = ["CLASSES", "frames_of", "render_batch", "write_archive"]
