"""What may happen at a weld: the ranges of a plant's set-up, and the process that makes a class likely."""

from dataclasses import dataclass

import numpy as np

from weldbench.weldsim.scene import CLASSES

Range = tuple[float, float]


@dataclass(frozen=True)
class Domain:
    """Ranges of what differs between runs; everything else follows from the process and from chance."""

    weld_u: Range = (-0.5, 0.5)
    weld_v: Range = (-0.2, 0.3)
    scale_per_mm: Range = (0.1, 0.21)
    tilt_rad: Range = (-0.1, 0.55)
    foreshortening: Range = (0.38, 0.75)
    mirrored: float = 0.5  # probability
    materials: tuple[str, ...] = ("sand", "brushed")
    exposure: Range = (0.5, 1.4)
    toe: Range = (0.015, 0.05)
    albedo: Range = (0.010, 0.032)
    large_nozzle: float = 0.55  # probability that the nozzle, not the bare electrode, stands in the frame
    edge: float = 0.45  # probability that the near edge of the plate is seen
    shelf: float = 0.2  # probability of a near plate in front of the pool; it is higher from the mirrored side
    littered: float = 0.5  # probability of crumbs on the plate
    stamped: float = 0.15  # probability of a burned-in time stamp


WIDE = Domain()
# One laboratory: one camera, mounted anew for every run, a large nozzle, and plates with a cast skin only.
PLANT = Domain(
    weld_u=(-0.4, -0.15),
    weld_v=(0.05, 0.17),
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
