"""What may happen at a weld: the ranges of a plant's set-up, and the process that makes a class likely."""

from dataclasses import dataclass, replace

import numpy as np

from weldbench.weldsim.scene import CLASSES

Range = tuple[float, float]


@dataclass(frozen=True)
class Domain:
    """Ranges of what differs between runs; everything else follows from the process and from chance."""

    weld_u: Range = (-0.5, 0.5)
    weld_v: Range = (-0.2, 0.3)
    tip_v: Range = (-0.52, -0.26)  # of the electrode
    scale_per_mm: Range = (0.1, 0.21)
    tilt_rad: Range = (-0.1, 0.55)
    foreshortening: Range = (0.38, 0.75)
    mirrored: float = 0.5  # probability
    materials: tuple[str, ...] = ("sand", "brushed")
    exposure: Range = (0.7, 1.9)
    toe: Range = (0.015, 0.05)
    albedo: Range = (0.012, 0.045)
    large_nozzle: float = 0.55  # probability that the nozzle, not the bare electrode, stands in the frame
    edge: float = 0.45  # probability that the near edge of the plate is seen
    shelf: float = 0.2  # probability of a near plate in front of the pool; it is higher from the mirrored side
    shelf_mm: Range = (0.5, 3.0)  # from the weld line to the edge of that plate
    littered: float = 0.15  # probability of crumbs on the plate
    halo: Range = (0.04, 0.22)  # of the arc
    mirror: Range = (0.02, 0.16)  # of the pool, for the arc
    glare: float = 0.75  # probability that the pool mirrors fumes lit by the arc, with a border
    stamped: float = 0.15  # probability of a burned-in time stamp


WIDE = Domain()
# The stream for pretraining comes from benches such as the published frames show: the level one has a large nozzle
# before the arc, the joint one a bare electrode over thick plates, the thin one sees thin plates from the other side,
# and at the open one a long arc burns from the upper edge of the frame down to the lower one.
LEVEL = replace(
    WIDE, weld_u=(-0.42, -0.1), weld_v=(-0.2, 0.1), tip_v=(-0.5, -0.4), tilt_rad=(0.03, 0.25), mirrored=0.0,
    large_nozzle=0.95, shelf=0.1, edge=0.8,
)  # fmt: skip
JOINT = replace(
    WIDE, weld_u=(-0.45, 0.0), weld_v=(-0.2, 0.05), tip_v=(-0.48, -0.36), tilt_rad=(-0.05, 0.1), mirrored=0.0,
    large_nozzle=0.05, shelf=0.05, edge=0.3, halo=(0.03, 0.35),
)  # fmt: skip
THIN = replace(
    WIDE, weld_u=(0.1, 0.5), weld_v=(-0.2, 0.0), tip_v=(-0.45, -0.28), tilt_rad=(0.35, 0.6), mirrored=1.0,
    large_nozzle=0.4, shelf=0.4, shelf_mm=(-0.2, 1.2), edge=0.1, halo=(0.05, 0.2), mirror=(0.1, 0.9),
)  # fmt: skip
OPEN = replace(
    WIDE, weld_u=(-0.4, -0.1), weld_v=(0.25, 0.5), tip_v=(-0.54, -0.46), tilt_rad=(-0.05, 0.25), mirrored=0.0,
    large_nozzle=0.8, shelf=0.05, edge=0.05, halo=(0.01, 0.05), exposure=(0.5, 1.1), stamped=0.6,
)  # fmt: skip
BENCHES = WIDE, LEVEL, JOINT, THIN, OPEN
# How often a class is filmed at each bench: what is tried at one seldom goes wrong in the way of another.
_SHARES = {
    "good_weld": (0.05, 0.1, 0.35, 0.25, 0.25),
    "burn_through": (0.1, 0.0, 0.0, 0.85, 0.05),
    "contamination": (0.1, 0.85, 0.0, 0.0, 0.05),
    "lack_of_fusion": (0.1, 0.1, 0.75, 0.0, 0.05),
    "lack_of_shielding_gas": (0.1, 0.85, 0.0, 0.0, 0.05),
    "high_travel_speed": (0.1, 0.85, 0.0, 0.0, 0.05),
}


def bench_of(label: int, rng: np.random.Generator) -> Domain:
    """Draw the bench that a frame of a class comes from."""
    return BENCHES[int(rng.choice(len(BENCHES), p=_SHARES[CLASSES[label]]))]


# One laboratory: one camera, mounted anew for every run, a large nozzle, and plates with a cast skin only.
PLANT = Domain(
    weld_u=(-0.4, -0.15),
    weld_v=(-0.05, 0.08),
    tip_v=(-0.5, -0.38),
    scale_per_mm=(0.105, 0.125),
    tilt_rad=(0.0, 0.1),
    foreshortening=(0.8, 0.88),
    mirrored=0.0,
    materials=("cast",),
    exposure=(0.8, 1.25),
    toe=(0.06, 0.08),
    albedo=(0.015, 0.025),
    large_nozzle=1.0,
    edge=0.1,
    shelf=0.0,
    littered=0.2,
    glare=0.0,
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
