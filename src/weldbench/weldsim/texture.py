"""Textures as filtered noise: white noise whose spectrum is shaped in the coordinates of the plate."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from weldbench.weldsim.scene import ASPECT, Scene


@dataclass(frozen=True)
class Textures:
    """Random surfaces of one run, float32, each of the rendering's height and width, mean 0, deviation 1, periodic."""

    grain: np.ndarray
    lines: np.ndarray
    clouds: np.ndarray
    swirls: np.ndarray
    turbulence: np.ndarray


def draw_textures(scene: Scene, height_px: int, width_px: int) -> Textures:
    """Draw the textures of a scene's run; they depend on its camera, plate and seed alone."""
    rng = np.random.default_rng((scene.seed, 1))
    camera, plate = scene.camera, scene.plate
    cosine, sine = np.cos(camera.tilt_rad), np.sin(camera.tilt_rad)
    f_y = fft.fftfreq(height_px, 1 / height_px).astype(np.float32)[:, None]
    f_x = fft.rfftfreq(width_px, ASPECT / width_px).astype(np.float32)[None, :]
    along = cosine * f_x + sine * f_y
    across = (cosine * f_y - sine * f_x) * camera.foreshortening
    squared = along**2 + across**2 + 1e-6

    def drawn(spectrum: np.ndarray) -> np.ndarray:
        noise = rng.standard_normal((height_px, width_px), np.float32)
        texture = fft.irfft2(fft.rfft2(noise) * spectrum, (height_px, width_px))
        texture -= texture.mean()
        return texture / (texture.std() + 1e-6)

    def band(size: float) -> np.ndarray:
        """Pass details of about this size in frame heights."""
        scaled = squared * np.float32((2 * size) ** 2)
        return scaled * np.exp(-scaled)

    brushed_along = np.cos(plate.brushing_rad) * along + np.sin(plate.brushing_rad) * across
    brushed_across = np.cos(plate.brushing_rad) * across - np.sin(plate.brushing_rad) * along
    return Textures(
        grain=drawn(band(plate.grain_size)),
        lines=drawn(
            np.exp(-((brushed_along / 1.5) ** 2)) * np.exp(-((brushed_across / 25) ** 2)) * np.abs(brushed_across)
        ),
        clouds=drawn(1 / (1 + squared / 4) ** 1.5),
        swirls=drawn(band(0.09)),
        turbulence=drawn(band(0.035) + 0.3 * band(0.1)),
    )
