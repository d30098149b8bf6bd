"""Rendered camera frames of TIG welding: the embedded dataset and the stream that backbones are pretrained on."""

from weldbench.weldsim.film import render_batch
from weldbench.weldsim.scene import CLASSES

__all__ = ["CLASSES", "render_batch"]
