"""How many frames weldsim renders in a second of one core.

    python benchmarks/rendering.py [--rounds N]

Frames of the dataset's plant and of the stream for pretraining, 320 x 175 as the dataset has them and 1280 x 700 as the
published ones. The time that the processor spends counts, so that other work on the machine does not.
"""

import argparse
import time

from results import Measured, print_lines, write_section

from weldbench.weldsim import render_batch
from weldbench.weldsim.domain import PLANT

SIZES = {(320, 175): 120, (1280, 700): 12}  # pixels: frames of a round
DOMAINS = {"plant": PLANT, "stream": None}


def main() -> None:
    """Measure, print the lines, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    measured = []
    for (width_px, height_px), count in SIZES.items():
        for name, domain in DOMAINS.items():
            speeds = []
            for number in range(rounds + 1):
                started = time.process_time()
                render_batch((0, number), count, width_px, height_px, domain)
                speeds.append(count / (time.process_time() - started))
            # The first round makes the textures.
            measured.append(Measured(f"render_{name}_{width_px}x{height_px}", speeds[1:], "frames/s"))
    print_lines(measured)
    write_section("Rendering", "weldsim on one core, all classes in equal shares.", measured)


if __name__ == "__main__":
    main()
