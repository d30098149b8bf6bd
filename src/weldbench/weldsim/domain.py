"""What may happen at a weld: ranges from which a plant's set-up and a class's scene are drawn."""

from dataclasses import dataclass, replace

import numpy as np

from weldbench.weldsim.scene import CLASSES, Camera, Defect, Plate, Pool, Scene, Sensor, Torch
from weldbench.weldsim.textures import MATERIALS

Range = tuple[float, float]


@dataclass(frozen=True)
class Domain:
    """Ranges of what differs between runs; everything else follows from the process and from chance."""

    weld_u: Range = (-0.5, 0.5)
    weld_v: Range = (-0.05, 0.36)
    scale_per_mm: Range = (0.09, 0.19)
    tilt_rad: Range = (-0.12, 0.42)
    foreshortening: Range = (0.38, 0.75)
    mirrored: float = 0.5  # probability
    materials: tuple[str, ...] = ("sand", "brushed")
    exposure: Range = (0.55, 1.7)
    toe: Range = (0.015, 0.05)
    albedo: Range = (0.010, 0.032)
    large_nozzle: float = 0.55  # probability that the nozzle, not the bare electrode, stands in the frame
    edge: float = 0.45  # probability that the near edge of the plate is seen
    shelf: float = 0.25  # probability of a near plate in front of the pool
    stamped: float = 0.15  # probability of a burned-in time stamp


WIDE = Domain()
# One laboratory: one camera, mounted anew for every run, a large nozzle, and plates with a cast skin only.
PLANT = Domain(
    weld_u=(-0.4, -0.15),
    weld_v=(0.05, 0.17),
    scale_per_mm=(0.14, 0.175),
    tilt_rad=(0.0, 0.1),
    foreshortening=(0.42, 0.5),
    mirrored=0.0,
    materials=("cast",),
    exposure=(0.8, 1.25),
    albedo=(0.015, 0.025),
    large_nozzle=1.0,
    edge=0.1,
    shelf=0.0,
)


@dataclass(frozen=True)
class Process:
    """The facts that a run's name states."""

    current_a: float
    travel_speed_cm_min: float
    gas_flow_l_min: float
    thickness_mm: float


def process_of(label: int, rng: np.random.Generator) -> Process:
    """Draw process parameters under which a class is likely: no gas, thin plate and much current, high speed."""
    name = CLASSES[label]
    return Process(
        current_a=float(rng.choice([220, 235, 250, 300] if name == "burn_through" else [150, 175, 200, 220, 235, 250])),
        travel_speed_cm_min=float(
            rng.choice([60, 75, 90, 110, 140] if name == "high_travel_speed" else [8, 11.5, 16, 19, 25])
        ),
        gas_flow_l_min=0.0 if name == "lack_of_shielding_gas" else float(rng.choice([10, 15, 20, 40])),
        thickness_mm=float(rng.choice({"burn_through": [2, 3], "lack_of_fusion": [10, 12]}.get(name, [3, 5, 5, 10]))),
    )


def scene_of(label: int, process: Process, domain: Domain, rng: np.random.Generator) -> Scene:
    """Draw a scene of one class."""
    camera = _camera(domain, rng)
    scene = Scene(
        label, camera, _torch(domain, camera, rng), _plate(domain, rng), _pool(process, rng),
        _sensor(domain, rng), _no_objects(),
    )  # fmt: skip
    return with_defect(scene, process, rng)


def with_defect(scene: Scene, process: Process, rng: np.random.Generator) -> Scene:
    """Put the defect of the scene's class into a weld that is otherwise as it was."""
    name = CLASSES[scene.label]
    pool, torch, plate, sensor = scene.pool, scene.torch, scene.plate, scene.sensor
    defect = _no_objects()
    if name == "burn_through":
        pool = replace(pool, islands=0.0, tail_mm=pool.tail_mm * 1.3)
        defect = _objects(
            rng, 5, x=(0.7, 1.5), x_scale=0.8 * pool.tail_mm, y=(-0.7, 0.7), y_scale=pool.half_width_mm,
            size=(0.8, 2.2), aspect=(0.4, 1.4), height=(-1, 1), strength=_u(rng, 0.75, 1.0),
            reach_mm=pool.tail_mm * _u(rng, 0.5, 0.85), bend=_u(rng, -0.8, 0.8), kind=_u(rng, 0.2, 1.0),
        )  # fmt: skip
    elif name == "contamination":
        pool = replace(pool, wobble=_u(rng, 0.12, 0.3), islands=_u(rng, 0, 0.6))
        glue = float(rng.random() < 0.4)
        defect = _objects(
            rng, 4, x=(-1.1, 1.2), x_scale=pool.front_mm, y=(0.15, 1.2), y_scale=pool.half_width_mm,
            size=(0.7, 2.2) if not glue else (0.2, 0.6), aspect=(1.0, 2.0), height=(0.3, 1.0), strength=1.0,
            reach_mm=_u(rng, 1.5, 4.5), bend=_u(rng, -1.5, 2.5), kind=_u(rng, 0.7, 1.0) if glue else _u(rng, 0, 0.6),
        )  # fmt: skip
    elif name == "lack_of_fusion":
        pool = replace(pool, wobble=_u(rng, 0.02, 0.1), front_mm=pool.front_mm * 1.15)
        defect = _objects(
            rng, 3, x=(-0.2, 0.6), x_scale=pool.tail_mm, y=(0.0, 0.75), y_scale=pool.half_width_mm,
            size=(1.2, 2.6), aspect=(0.8, 1.8), height=(0.15, 0.5), strength=_u(rng, 0.5, 1.3),
            reach_mm=pool.front_mm * _u(rng, 0.6, 1.3), bend=pool.half_width_mm * _u(rng, 0.1, 0.5),
            kind=float(rng.random() < 0.25),
        )  # fmt: skip
    elif name == "lack_of_shielding_gas":
        pool = replace(pool, islands=0.0, wobble=0.2, sheen=pool.sheen * 0.6)
        torch = replace(
            torch, rays=_u(rng, 0.3, 0.85), ray_count=_u(rng, 3.0, 6.0), column_width=_u(rng, 0.06, 0.13),
            column_spread=_u(rng, 0.2, 0.5), stickout=-_u(rng, 0.0, 0.02), electrode_brightness=0.0,
            nozzle_radius=_u(rng, 0.4, 0.8), nozzle_drop=_u(rng, 0.14, 0.3), nozzle_ragged=_u(rng, 0.015, 0.05),
            nozzle_brightness=_u(rng, 0.001, 0.004), brightness=_u(rng, 0.3, 2.5), halo=_u(rng, 0.06, 0.2),
        )  # fmt: skip
        defect = _objects(
            rng, 5, x=(0.3, 1.5), x_scale=pool.tail_mm, y=(-0.8, 1.0), y_scale=pool.half_width_mm,
            size=(0.4, 1.8), aspect=(0.8, 2.0), height=(0, 1), strength=_u(rng, 0.7, 1.0),
            reach_mm=_u(rng, 3.0, 6.5), bend=_u(rng, 0, 1), kind=0.0,
        )  # fmt: skip
    elif name == "high_travel_speed":
        pool = replace(
            pool, front_mm=1.2, tail_mm=_u(rng, 1.8, 3.2), half_width_mm=_u(rng, 0.6, 1.3), islands=0.0,
            bead_half_width_mm=_u(rng, 1.0, 2.0), ripple_mm=0.05, wobble=0.25, mirror=pool.mirror * 0.5,
        )  # fmt: skip
        # Little heat goes into the plate, so that it stays flat: no near plate is pushed up.
        plate = replace(plate, shelf_mm=99.0)
        torch = replace(torch, column_spread=_u(rng, 0.04, 0.15))
        defect = _humps(rng, pool)
    scene = replace(scene, pool=pool, torch=torch, plate=plate, sensor=sensor, defect=defect)
    return scene


def _u(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _camera(domain: Domain, rng: np.random.Generator) -> Camera:
    return Camera(
        weld_u=_u(rng, *domain.weld_u), weld_v=_u(rng, *domain.weld_v), scale_per_mm=_u(rng, *domain.scale_per_mm),
        tilt_rad=_u(rng, *domain.tilt_rad), foreshortening=_u(rng, *domain.foreshortening),
        perspective=_u(rng, 0.0, 0.5), mirror=-1.0 if rng.random() < domain.mirrored else 1.0,
    )  # fmt: skip


def _torch(domain: Domain, camera: Camera, rng: np.random.Generator) -> Torch:
    large = rng.random() < domain.large_nozzle
    return Torch(
        arc_length=max(0.16, camera.weld_v - _u(rng, -0.52, -0.26)), lean=_u(rng, -0.03, 0.03),
        stickout=_u(rng, -0.02, 0.04) if large else _u(rng, 0.06, 0.3),
        nozzle_radius=_u(rng, 0.4, 0.8), nozzle_drop=_u(rng, 0.1, 0.3),
        nozzle_brightness=_u(rng, 0.001, 0.02), nozzle_ragged=0.0 if rng.random() < 0.7 else _u(rng, 0, 0.03),
        electrode_radius=_u(rng, 0.03, 0.07), electrode_brightness=_u(rng, 0.02, 0.2),
        column_width=_u(rng, 0.03, 0.07), column_spread=_u(rng, 0.04, 0.35), brightness=_u(rng, 0.3, 1.0),
        halo=_u(rng, 0.05, 0.3), halo_radius=_u(rng, 0.12, 0.32), rays=0.0, ray_count=0.0, ray_phase=_u(rng, 0, 6.28),
    )  # fmt: skip


def _plate(domain: Domain, rng: np.random.Generator) -> Plate:
    edge, shelf = rng.random() < domain.edge, rng.random() < domain.shelf
    return Plate(
        texture=float(MATERIALS.index(str(rng.choice(domain.materials)))), grain_mm=_u(rng, 0.02, 0.06),
        grain_angle_rad=_u(rng, -0.5, 0.5), relief=_u(rng, 0.01, 0.09), albedo=_u(rng, *domain.albedo),
        mottle=_u(rng, 0.02, 0.22), joint_gap_mm=_u(rng, 0.05, 0.2) if rng.random() < 0.4 else 0.0,
        joint_y_mm=_u(rng, -0.6, 0.6), edge_v=_u(rng, 0.12, 0.5) if edge else 2.0, edge_slope=_u(rng, -0.1, 0.25),
        edge_blur=_u(rng, 0.02, 0.1), edge_band=_u(rng, 0.004, 0.03), shelf_mm=_u(rng, 0.5, 3.0) if shelf else 99.0,
        shelf_bend=_u(rng, -1.0, 2.0), travel_mm=0.0, offset_mm=_u(rng, 0, 400),
    )  # fmt: skip


def _pool(process: Process, rng: np.random.Generator) -> Pool:
    # The width and the length of a pool grow with the heat per length (Rosenthal's moving source).
    heat = process.current_a / 200 * (16 / process.travel_speed_cm_min) ** 0.3
    half_width = 2.9 * heat**0.5 * _u(rng, 0.75, 1.4)
    return Pool(
        front_mm=half_width * _u(rng, 0.75, 1.25), tail_mm=half_width * _u(rng, 1.4, 3.0), half_width_mm=half_width,
        taper=_u(rng, 0.0, 0.55), wobble=_u(rng, 0.01, 0.07), mirror=_u(rng, 0.06, 0.4), sheen=_u(rng, 0.002, 0.007),
        wave=_u(rng, 0.0, 0.02), wave_mm=_u(rng, 0.8, 2.5), wave_phase=_u(rng, 0, 6.28),
        islands=_u(rng, 0.2, 0.8) if rng.random() < 0.4 else 0.0,
        bead_half_width_mm=half_width * _u(rng, 1.02, 1.3), crown_mm=_u(rng, -0.2, 0.6), ripple_mm=_u(rng, 0.01, 0.06),
        ripple_pitch_mm=_u(rng, 0.3, 0.9), ripple_bow=-half_width * _u(rng, 0.6, 1.6),
    )  # fmt: skip


def _sensor(domain: Domain, rng: np.random.Generator) -> Sensor:
    return Sensor(
        exposure=float(np.exp(_u(rng, *np.log(domain.exposure)))), toe=_u(rng, *domain.toe), white=_u(rng, 225, 255),
        black=_u(rng, 0, 14), haze=_u(rng, 0.0, 0.006), vignette=_u(rng, 0.0, 0.35), row_pattern=_u(rng, 0.0, 0.025),
        noise=_u(rng, 0.3, 1.5), noise_offset=int(rng.integers(1 << 18)),
        stamp=int(rng.integers(1, 80_000_000)) if rng.random() < domain.stamped else 0,
    )  # fmt: skip


def _no_objects() -> Defect:
    nothing = np.zeros(0)
    return Defect(nothing, nothing, nothing, nothing, nothing, nothing, 0.0, 1.0, 0.0, 0.0)


def _objects(
    rng: np.random.Generator, count: int, *, x: Range, x_scale: float, y: Range, y_scale: float, size: Range,
    aspect: Range, height: Range, strength: float, reach_mm: float, bend: float, kind: float,
) -> Defect:  # fmt: skip
    return Defect(
        x_mm=rng.uniform(*x, count) * x_scale, y_mm=rng.uniform(*y, count) * y_scale, size_mm=rng.uniform(*size, count),
        aspect=rng.uniform(*aspect, count), height_mm=rng.uniform(*height, count), phase=rng.uniform(-1, 1, count),
        strength=strength, reach_mm=reach_mm, bend=bend, kind=kind,
    )  # fmt: skip


def _humps(rng: np.random.Generator, pool: Pool) -> Defect:
    """Two rows of humps at a pitch near half of the bead's circumference (the Rayleigh instability of a thread)."""
    count, pitch = 8, pool.bead_half_width_mm * _u(rng, 1.3, 2.4)
    row = np.arange(count) % 2
    x = -1.0 + pitch * (np.arange(count) * 0.62 + rng.uniform(-0.25, 0.25, count))
    y = (row - 0.5) * pool.bead_half_width_mm * rng.uniform(0.5, 1.4, count)
    return Defect(
        x_mm=x, y_mm=y, size_mm=rng.uniform(0.5, 1.3, count), aspect=rng.uniform(0.8, 1.8, count),
        height_mm=rng.uniform(0.7, 2.0, count), phase=rng.uniform(-1, 1, count),
        strength=1.0, reach_mm=1.0, bend=0.0, kind=0.0,
    )  # fmt: skip
