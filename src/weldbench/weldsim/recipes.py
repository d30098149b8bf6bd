"""Scenes by class: what process and torch look like, given a camera and a plate."""

import numpy as np

from weldbench.weldsim.scene import Camera, Plate, Pool, Scene, Torch


def draw_scene(rng: np.random.Generator, label: str, camera: Camera, plate: Plate, severity: float) -> Scene:
    """Draw torch, pool and seed for a class before a given camera and plate."""
    u = rng.uniform
    nozzle_seen = u() < {"good_weld": 0.3, "burn_through": 0.2, "lack_of_fusion": 0.1}.get(label, 0.9)
    gas = label == "lack_of_shielding_gas"
    fast = label == "high_travel_speed"
    torch = Torch(
        nozzle_edge_y=camera.tip_y - u(0.01, 0.06) if nozzle_seen else -1.0,
        nozzle_radius=u(0.5, 1.0),
        raggedness=u(0.006, 0.014) if gas else u(0, 0.002),
        electrode=0.0 if nozzle_seen else u(0.05, 0.2),
        gap=u(0.22, 0.4) if nozzle_seen else u(0.2, 0.45),
        width=u(0.04, 0.09) * (1.6 if gas else 0.8 if fast else 1),
        spread=u(0.5, 0.9) if gas else u(0.06, 0.16) if fast else u(0.15, 0.5),
        power=u(0.85, 1.2) * (u(1.2, 4) if gas and u() < 0.5 else u(1.0, 1.5) if gas else 1),
        rays=tuple(u(-0.7, 0.7, rng.integers(2, 5))) if gas else (),
        halo=u(0.35, 0.5) * (1.2 if gas else 1),
    )
    pool = Pool(
        front=u(0.2, 0.3) if fast else u(0.8, 1.3),
        tail=u(0.4, 0.6) if fast else u(1.3, 2.4),
        half_width=u(0.15, 0.25) if fast else u(0.8, 1.15),
        taper=u(0, 0.6),
        gloss=u(0.35, 0.75),
        waves=u(0.3, 1.2),
        lip=u(0.4, 1.3),
        ripples=u(0.2, 1.2),
        unevenness=u(0.2, 0.7),
    )
    return Scene(label, severity, camera, torch, plate, pool, int(rng.integers(2**31)))


def wide_scene(rng: np.random.Generator, label: str) -> Scene:
    """Draw a scene for pretraining: any camera, any plate, any exposure."""
    u = rng.uniform
    tilt = u(-0.6, -0.2) if u() < (0.9 if label == "burn_through" else 0.15) else u(-0.12, 0.3)
    camera = Camera(
        tip_x=u(0.45, 1.4),
        tip_y=u(0.03, 0.2),
        pool_unit=u(0.28, 0.42),
        tilt_rad=tilt,
        foreshortening=u(0.45, 0.75),
        mirrored=bool(u() < (0.9 if tilt < -0.15 else 0.25)),
        exposure=u(0.7, 1.4),
        contrast=u(4, 12),
        blur_px=u(0.4, 1.1),
        noise=u(0.003, 0.012),
        vignette=u(0.1, 0.4),
        time_stamp=bool(u() < 0.1),
    )
    ledge = u() < (0.8 if label in ("contamination", "lack_of_shielding_gas") else 0.1)
    plate = Plate(
        albedo=u(0.7, 1.3),
        grain=u(0, 1.5),
        grain_size=u(0.012, 0.03),
        brushing=u(0, 1.2) * (u() < 0.6),
        brushing_rad=u(-0.3, 0.3),
        stains=u(0.2, 1.2),
        joint=u(0.2, 1) * (u() < 0.2),
        ledge_y=u(0.7, 0.95) if ledge else 2.0,
        ledge_slope=u(-0.05, 0.2),
    )
    return draw_scene(rng, label, camera, plate, u(0.6, 1.3))
