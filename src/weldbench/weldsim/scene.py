"""A weld as data: everything that a frame shows, in numbers with units; rendering it is a pure function.

Lengths on the plate are in mm, with the origin under the arc: X points against the direction of travel (over the pool
and the bead that it leaves), Y towards the camera. Lengths in the frame are in half widths of the frame: u from -1
(left) to 1, v downwards from -0.547 to 0.547, whatever the size in pixels. Brightness is radiance, 1 for the core of
the arc.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from weldbench.config.data import SS304_CLASSES

CLASSES = tuple(SS304_CLASSES)


@dataclass(frozen=True)
class Camera:
    """Where the weld lies in the frame and how obliquely it is seen."""

    weld_u: float  # the point under the arc, half widths
    weld_v: float
    scale_per_mm: float  # half widths per mm
    tilt_rad: float  # of the weld line in the frame
    foreshortening: float  # sine of the camera's elevation over the plate
    perspective: float  # relative growth of the scale per half width towards the camera
    mirror: float  # 1: the bead lies to the right, -1: to the left


@dataclass(frozen=True)
class Torch:
    """Nozzle, electrode and arc; lengths in half widths of the frame."""

    arc_length: float  # from the electrode's tip to the weld
    lean: float  # sideways distance of the tip from the point above the weld
    stickout: float  # of the electrode below the nozzle; negative: the tip is hidden
    nozzle_radius: float
    nozzle_drop: float  # height of the elliptic rim's arc
    nozzle_brightness: float
    nozzle_ragged: float  # spatter that sticks to the rim
    electrode_radius: float
    electrode_brightness: float
    column_width: float  # of the arc at the tip
    column_spread: float  # widening per length
    brightness: float
    halo: float  # radiance of the glow around the arc
    halo_radius: float
    fumes: float  # unevenness of that glow: smoke that it lights
    rays: float  # 0: one calm cone; 1: blown apart into rays
    ray_count: float
    ray_phase: float


@dataclass(frozen=True)
class Plate:
    """The material around the weld."""

    texture: int  # index into textures.MATERIALS
    grain_mm: float  # size of a texel of the material
    grain_angle_rad: float
    relief: float  # height of the texture, mm
    albedo: float
    mottle: float  # slow variation of the albedo
    litter: float  # share of crumbs of slag and spatter, left over from other welds
    joint_gap_mm: float  # half width of the dark joint line; 0: no joint
    joint_y_mm: float
    edge_v: float  # near edge of the plate in the frame; beyond it the background
    edge_slope: float
    edge_blur: float
    edge_band: float  # brightness of the lit, blurred edge
    shelf_mm: float  # Y of a near plate that stands in front of the pool
    shelf_bend: float
    travel_mm: float  # how far the plate has moved past the torch
    offset_mm: float  # which piece of the material this is


@dataclass(frozen=True)
class Pool:
    """Molten pool and the bead behind it."""

    front_mm: float
    tail_mm: float
    half_width_mm: float
    taper: float  # 0: ellipse, towards 1: drop with a pointed tail
    wobble: float  # irregularity of the rim
    rim: float  # radiance of the rounded rim beside the arc
    rim_turn_rad: float  # which side of the rim is lit most; 0: the tail
    mirror: float  # brightness of the arc's reflection
    sheen: float  # radiance of the still surface under the arc
    sheen_mm: float  # from the arc to where half of it is left
    glare: float  # radiance of that part of it which mirrors the lit fumes; beyond it the surface mirrors the dark
    glare_mm: float  # its size
    glare_shift: float  # of its middle from the arc's foot towards the camera, in its size
    glare_edge: float  # how sharp its border is
    wave: float  # height of the surface waves, mm
    wave_mm: float
    wave_phase: float
    islands: float  # share of oxide skin on the surface
    bead_half_width_mm: float
    crown_mm: float
    ripple_mm: float  # height of the ripples
    ripple_pitch_mm: float
    ripple_bow: float


@dataclass(frozen=True)
class Sensor:
    """The camera's response."""

    exposure: float
    toe: float  # radiance at which the logarithmic response begins
    white: float  # gray level of the arc's core
    black: float  # gray level of no light
    haze: float  # radiance of stray light
    vignette: float
    row_pattern: float  # relative gain of odd rows
    noise: float  # gray levels
    noise_offset: int
    stamp: int  # 0: no burned-in time stamp, else the number of milliseconds that it shows


@dataclass(frozen=True)
class Defect:
    """The objects that make a defect, float64 of shape (objects,) each, and the defect's own few numbers."""

    x_mm: np.ndarray
    y_mm: np.ndarray
    size_mm: np.ndarray
    aspect: np.ndarray
    height_mm: np.ndarray
    phase: np.ndarray
    strength: float
    reach_mm: float
    bend: float
    kind: float  # variant, 0 to 1

    def objects(self) -> Iterator[tuple[float, ...]]:
        """Yield each object: x_mm, y_mm, size_mm, aspect, height_mm, phase."""
        columns = self.x_mm, self.y_mm, self.size_mm, self.aspect, self.height_mm, self.phase
        return zip(*(column.tolist() for column in columns), strict=True)


@dataclass(frozen=True)
class Scene:
    """One frame's content."""

    label: int  # index into CLASSES
    camera: Camera
    torch: Torch
    plate: Plate
    pool: Pool
    sensor: Sensor
    defect: Defect
