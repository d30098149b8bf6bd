"""Drawing scenes: a set-up from a domain's ranges, a weld that follows from its process, and a defect in it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from weldbench.weldsim.domain import Domain, Process, Range
from weldbench.weldsim.scene import CLASSES, Camera, Defect, Plate, Pool, Scene, Sensor, Torch
from weldbench.weldsim.textures import MATERIALS

_NOTHING = np.zeros(0)
_NO_OBJECTS = Defect(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING, 0.0, 1.0, 0.0, 0.0)


def scene_of(label: int, process: Process, domain: Domain, rng: np.random.Generator) -> Scene:
    """Draw a scene of one class."""
    camera = _camera(domain, rng)
    scene = Scene(
        label, camera, _torch(domain, camera, rng), _plate(domain, camera, rng), _pool(process, domain, rng),
        _sensor(domain, rng), _NO_OBJECTS,
    )  # fmt: skip
    if CLASSES[label] == "contamination":
        scene = replace(scene, pool=_widened(scene.pool, _u(rng, 1.0, 1.5)))  # what melts and floats needs room
    return with_defect(scene, rng)


def with_defect(scene: Scene, rng: np.random.Generator) -> Scene:
    """Put the defect of the scene's class into a weld that is otherwise as it was."""
    if not scene.label:
        return replace(scene, defect=_NO_OBJECTS)
    return _DRAWN[CLASSES[scene.label]](scene, rng)


def _burn_through(scene: Scene, rng: np.random.Generator) -> Scene:
    pool, plate = scene.pool, scene.plate
    pool = replace(pool, islands=0.0, tail_mm=pool.tail_mm * 1.4, half_width_mm=pool.half_width_mm * 1.3)
    if rng.random() < 0.8:
        # The root sags below the near plate, whose edge then hides a part of it.
        plate = replace(plate, shelf_mm=pool.half_width_mm * _u(rng, 0.0, 0.6))
    reach_mm = pool.tail_mm * _u(rng, 0.25, 0.42)
    defect = _objects(
        rng, 5, x=(2.2, 4.0), x_scale=reach_mm, y=(-0.8, 0.8), y_scale=pool.half_width_mm,
        size=(0.8, 2.4), aspect=(0.4, 1.4), height=(0, 1), strength=_u(rng, 0.85, 1.0),
        reach_mm=reach_mm, bend=pool.half_width_mm * _u(rng, 0.0, 0.5), kind=_u(rng, 0.0, 0.8),
    )  # fmt: skip
    return replace(scene, pool=pool, plate=plate, defect=defect)


def _contamination(scene: Scene, rng: np.random.Generator) -> Scene:
    pool = replace(scene.pool, wobble=_u(rng, 0.06, 0.25), islands=_u(rng, 0, 0.6))
    glue = rng.random() < 0.4
    # Slag and glue evaporate, and the arc lights what rises.
    torch = replace(
        scene.torch, fumes=_u(rng, 0.0, 0.2), halo=scene.torch.halo * _u(rng, 0.8, 1.2),
        halo_radius=scene.torch.halo_radius * 1.2,
    )  # fmt: skip
    defect = _objects(
        rng, 6, x=(-0.9, 1.3), x_scale=pool.front_mm, y=(0.3, 1.2), y_scale=pool.half_width_mm,
        size=(0.2, 0.6) if glue else (0.7, 2.2), aspect=(0.8, 2.4), height=(0.3, 1.0), strength=1.0,
        reach_mm=_u(rng, 2.5, 5.5), bend=_u(rng, -1.5, 2.0), kind=_u(rng, 0.7, 1.0) if glue else 0.0,
    )  # fmt: skip
    return replace(scene, pool=pool, torch=torch, defect=defect)


def _lack_of_fusion(scene: Scene, rng: np.random.Generator) -> Scene:
    # Too little heat for the thickness: the pool stays small.
    size = _u(rng, 0.45, 1.1)
    pool = replace(
        scene.pool, wobble=_u(rng, 0.02, 0.1), front_mm=scene.pool.front_mm * 1.15 * size,
        tail_mm=scene.pool.tail_mm * size, half_width_mm=scene.pool.half_width_mm * size,
        rim=scene.pool.rim * 0.3, ripple_mm=0.3 * scene.pool.ripple_mm,
    )  # fmt: skip
    defect = _objects(
        rng, 3, x=(-0.2, 0.6), x_scale=pool.tail_mm, y=(0.0, 0.75), y_scale=pool.half_width_mm,
        size=(1.0, 2.4), aspect=(0.5, 1.3), height=(0.1, 0.5), strength=_u(rng, 0.2, 0.9),
        reach_mm=pool.front_mm * _u(rng, 0.35, 0.9), bend=pool.half_width_mm * _u(rng, 0.1, 0.5),
        kind=float(rng.random() < 0.45),
    )  # fmt: skip
    return replace(scene, pool=pool, defect=defect)


def _lack_of_shielding_gas(scene: Scene, rng: np.random.Generator) -> Scene:
    pool = replace(scene.pool, islands=0.0, wobble=0.2, sheen=scene.pool.sheen * 0.6)
    torch = replace(
        scene.torch, rays=_u(rng, 0.0, 0.8), ray_count=_u(rng, 1.5, 6.0), column_width=_u(rng, 0.09, 0.22),
        column_spread=_u(rng, 0.2, 0.5), stickout=-_u(rng, 0.0, 0.02), electrode_brightness=0.0,
        nozzle_radius=_u(rng, 0.4, 0.8), nozzle_drop=_u(rng, 0.14, 0.3), nozzle_ragged=_u(rng, 0.005, 0.02),
        nozzle_brightness=_u(rng, 0.001, 0.004), brightness=_log_u(rng, 0.25, 2.5), halo=_u(rng, 0.05, 0.22),
        halo_radius=_u(rng, 0.3, 0.6), fumes=_u(rng, 0, 0.15),
    )  # fmt: skip
    defect = _objects(
        rng, 5, x=(0.3, 1.5), x_scale=pool.tail_mm, y=(-0.8, 1.0), y_scale=pool.half_width_mm,
        size=(0.4, 1.8), aspect=(0.8, 2.0), height=(0, 1) if rng.random() < 0.75 else (0, 0.1),
        strength=_u(rng, 0.8, 1.0), reach_mm=_u(rng, 2.0, 5.0), bend=_u(rng, 0, 1), kind=_u(rng, 0, 1),
    )  # fmt: skip
    return replace(scene, pool=pool, torch=torch, defect=defect)


def _high_travel_speed(scene: Scene, rng: np.random.Generator) -> Scene:
    pool = replace(
        scene.pool, front_mm=1.2, tail_mm=_u(rng, 1.0, 2.4), half_width_mm=_u(rng, 0.5, 1.1), islands=0.0,
        bead_half_width_mm=_u(rng, 0.9, 1.8), ripple_mm=0.05, wobble=0.25, mirror=scene.pool.mirror * 0.3,
        sheen=scene.pool.sheen * 0.3, rim=scene.pool.rim * 0.3, glare=0.0,
    )  # fmt: skip
    torch = replace(scene.torch, column_spread=_u(rng, 0.04, 0.15))
    # Little heat goes into the plate, so that it stays flat: no near plate is pushed up.
    plate = replace(scene.plate, shelf_mm=99.0, edge_v=scene.plate.edge_v if rng.random() < 0.4 else 2.0)
    # Humps in two rows at a pitch near half of the bead's circumference (the Rayleigh instability of a thread).
    count, pitch_mm = 16, pool.bead_half_width_mm * _u(rng, 1.3, 2.0)
    number = np.arange(count)
    defect = Defect(
        x_mm=-7.0 + pitch_mm * (number * 0.62 + rng.uniform(-0.25, 0.25, count)),
        y_mm=(number % 2 - 0.3) * pool.bead_half_width_mm * rng.uniform(0.6, 1.4, count),
        size_mm=rng.uniform(0.5, 1.5, count), aspect=rng.uniform(0.7, 1.5, count),
        height_mm=rng.uniform(0.6, 2.0, count), phase=rng.uniform(-1, 1, count),
        strength=_u(rng, 0.1, 0.6), reach_mm=1.0, bend=_u(rng, 0.0, 0.8), kind=0.0,
    )  # fmt: skip
    return replace(scene, pool=pool, torch=torch, plate=plate, defect=defect)


_DRAWN: dict[str, Callable[[Scene, np.random.Generator], Scene]] = {
    "burn_through": _burn_through,
    "contamination": _contamination,
    "lack_of_fusion": _lack_of_fusion,
    "lack_of_shielding_gas": _lack_of_shielding_gas,
    "high_travel_speed": _high_travel_speed,
}


def _u(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _log_u(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _camera(domain: Domain, rng: np.random.Generator) -> Camera:
    mirror = -1.0 if rng.random() < domain.mirrored else 1.0
    return Camera(
        weld_u=_u(rng, *domain.weld_u), weld_v=_u(rng, *domain.weld_v), scale_per_mm=_u(rng, *domain.scale_per_mm),
        tilt_rad=mirror * _u(rng, *domain.tilt_rad), foreshortening=_u(rng, *domain.foreshortening),
        perspective=_u(rng, 0.0, 0.5), mirror=mirror,
    )  # fmt: skip


def _torch(domain: Domain, camera: Camera, rng: np.random.Generator) -> Torch:
    large = rng.random() < domain.large_nozzle
    return Torch(
        arc_length=max(0.16, camera.weld_v - _u(rng, *domain.tip_v)), lean=_u(rng, -0.03, 0.03),
        stickout=_u(rng, -0.02, 0.04) if large else _u(rng, 0.06, 0.3),
        nozzle_radius=_u(rng, 0.4, 0.8), nozzle_drop=_u(rng, 0.1, 0.3),
        nozzle_brightness=_u(rng, 0.001, 0.02), nozzle_ragged=0.0 if rng.random() < 0.7 else _u(rng, 0, 0.03),
        electrode_radius=_u(rng, 0.03, 0.07), electrode_brightness=_u(rng, 0.02, 0.2),
        column_width=_u(rng, 0.03, 0.08),
        column_spread=_u(rng, 0.04, 0.35) if large else _u(rng, 0.1, 0.5), brightness=_u(rng, 0.45, 1.2),
        halo=_u(rng, *domain.halo), halo_radius=_u(rng, 0.2, 0.5),
        fumes=0.0 if rng.random() < 0.7 else _u(rng, 0, 0.15),
        rays=0.0, ray_count=0.0, ray_phase=_u(rng, 0, 6.28),
    )  # fmt: skip


def _plate(domain: Domain, camera: Camera, rng: np.random.Generator) -> Plate:
    edge = rng.random() < domain.edge
    shelf = rng.random() < domain.shelf * (2.5 if camera.mirror < 0 else 1)
    return Plate(
        texture=MATERIALS.index(str(rng.choice(domain.materials))), grain_mm=_u(rng, 0.02, 0.06),
        grain_angle_rad=_u(rng, -0.5, 0.5), relief=_log_u(rng, 0.004, 0.06),
        albedo=_u(rng, *domain.albedo), mottle=_u(rng, 0.02, 0.22),
        litter=_u(rng, 0.1, 0.9) if rng.random() < domain.littered else 0.0,
        joint_gap_mm=_u(rng, 0.05, 0.2) if rng.random() < 0.4 else 0.0,
        joint_y_mm=_u(rng, -0.6, 0.6), edge_v=camera.weld_v + _u(rng, 0.12, 0.45) if edge else 2.0,
        edge_slope=_u(rng, -0.1, 0.25),
        edge_blur=_u(rng, 0.02, 0.1), edge_band=_u(rng, 0.004, 0.03),
        shelf_mm=_u(rng, *domain.shelf_mm) if shelf else 99.0,
        shelf_bend=_u(rng, -1.0, 2.0), travel_mm=0.0, offset_mm=_u(rng, 0, 400),
    )  # fmt: skip


def _pool(process: Process, domain: Domain, rng: np.random.Generator) -> Pool:
    # The width and the length of a pool grow with the heat per length (Rosenthal's moving source).
    heat = process.current_a / 200 * (16 / process.travel_speed_cm_min) ** 0.3
    half_width = 2.9 * heat**0.5 * _u(rng, 0.75, 1.4)
    return Pool(
        front_mm=half_width * _u(rng, 0.75, 1.25), tail_mm=half_width * _u(rng, 1.4, 3.0), half_width_mm=half_width,
        taper=_u(rng, 0.0, 0.55), wobble=_u(rng, 0.01, 0.07), rim=_log_u(rng, 0.0005, 0.009),
        rim_turn_rad=_u(rng, -0.8, 2.2), mirror=_u(rng, *domain.mirror), sheen=_log_u(rng, 0.002, 0.06),
        sheen_mm=_log_u(rng, 1.5, 6.0),
        glare=0.0 if rng.random() < 1 - domain.glare else _log_u(rng, 0.004, 0.06),
        glare_mm=half_width * _u(rng, 0.5, 1.3),
        glare_shift=_u(rng, -0.3, 0.6), glare_edge=_log_u(rng, 2.0, 20.0),
        wave=_u(rng, 0.0, 0.02), wave_mm=_u(rng, 0.8, 2.5), wave_phase=_u(rng, 0, 6.28),
        islands=_u(rng, 0.2, 0.8) if rng.random() < 0.4 else 0.0,
        bead_half_width_mm=half_width * _u(rng, 1.02, 1.3), crown_mm=_u(rng, -0.2, 0.6),
        ripple_mm=_log_u(rng, 0.004, 0.04), ripple_pitch_mm=_u(rng, 0.3, 0.9),
        ripple_bow=-half_width * _u(rng, 0.6, 1.6),
    )  # fmt: skip


def _widened(pool: Pool, factor: float) -> Pool:
    return replace(
        pool, front_mm=pool.front_mm * factor, tail_mm=pool.tail_mm * factor, half_width_mm=pool.half_width_mm * factor
    )


def _sensor(domain: Domain, rng: np.random.Generator) -> Sensor:
    return Sensor(
        exposure=_log_u(rng, *domain.exposure), toe=_u(rng, *domain.toe), white=_u(rng, 225, 255),
        black=_u(rng, 0, 10), haze=_u(rng, 0.0, 0.004), vignette=_u(rng, 0.1, 0.7), row_pattern=_u(rng, 0.0, 0.025),
        noise=_u(rng, 0.3, 1.5), noise_offset=int(rng.integers(1 << 18)),
        stamp=int(rng.integers(1, 80_000_000)) if rng.random() < domain.stamped else 0,
    )  # fmt: skip


def _objects(
    rng: np.random.Generator, count: int, *, x: Range, x_scale: float, y: Range, y_scale: float, size: Range,
    aspect: Range, height: Range, strength: float, reach_mm: float, bend: float, kind: float,
) -> Defect:  # fmt: skip
    return Defect(
        x_mm=rng.uniform(*x, count) * x_scale, y_mm=rng.uniform(*y, count) * y_scale, size_mm=rng.uniform(*size, count),
        aspect=rng.uniform(*aspect, count), height_mm=rng.uniform(*height, count), phase=rng.uniform(-1, 1, count),
        strength=strength, reach_mm=reach_mm, bend=bend, kind=kind,
    )  # fmt: skip
