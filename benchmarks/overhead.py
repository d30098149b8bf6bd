"""What the engines take when there is nothing to do, and what planning takes: seconds that everyone waits.

    python benchmarks/overhead.py [--rounds N]

It wants a finished run in the project's folder (`make reproduce`), and changes nothing there.

- snakemake_nothing_to_do, dvc_nothing_to_do: `snakemake -n` and `dvc status` on that run.
- sync_nothing_to_do: `weldbench sync` on that run.
- plan_1000_trainings: `snakemake -n` where 1,002 trainings are missing (334 seeds of three models), in a folder of its
  own; and the memory it takes at its peak.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from results import Measured, print_lines, write_section

from weldbench.errors import InputError
from weldbench.pipeline.command import command

ROOT = Path(__file__).parents[1]
PLAN = ("snakemake", "--dry-run", "--quiet", "rules")
# What the command says where there is nothing to do.
NOTHING_TO_DO = {PLAN: "Nothing to be done", ("dvc", "status"): "up to date", ("weldbench", "sync"): "nothing to learn"}
NAMES = ("snakemake_nothing_to_do", "dvc_nothing_to_do", "sync_nothing_to_do")
SEEDS = 334
BOTH_STREAMS = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "check": True}
# The peak of this process alone: what getrusage says of a child counts its parent, whose copy it was.
PLAN_AND_PEAK = r"""
import re, sys
from pathlib import Path
from snakemake.cli import main
try:
    main(sys.argv[1:])
finally:
    sys.stderr.flush()
    print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
"""


@command
def main() -> None:
    """Measure, print the lines, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    measured = [
        Measured(name, [seconds(line, said) for _ in range(rounds)], "s")
        for name, (line, said) in zip(NAMES, NOTHING_TO_DO.items(), strict=True)
    ]
    measured += planning(rounds)
    print_lines(measured)
    write_section("Overhead", "A finished default run; and 1,002 trainings to plan, 2,014 jobs in all.", measured)


def seconds(line: tuple[str, ...], said: str) -> float:
    """Time a command in the project's folder, where there must be nothing to do."""
    started = time.perf_counter()
    answer = subprocess.run(line, cwd=ROOT, **BOTH_STREAMS).stdout
    taken = time.perf_counter() - started
    if said not in answer:
        raise InputError(f"{ROOT} holds no finished run (`make reproduce`): {' '.join(line)} says\n{answer}")
    return taken


def planning(rounds: int) -> list[Measured]:
    """Time the plan of a thousand trainings, and read the peak memory of its process."""
    taken, peaks = [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for part in ("workflow", "rules", "scripts", "src", "notebooks", "reference", "requirements.lock"):
            (folder / part).symlink_to(ROOT / part)
        params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        (folder / "params.yaml").write_text(yaml.safe_dump({**params, "seeds": list(range(SEEDS))}, sort_keys=False))
        for _ in range(rounds):
            started = time.perf_counter()
            said = subprocess.run([sys.executable, "-c", PLAN_AND_PEAK, *PLAN[1:]], cwd=folder, **BOTH_STREAMS).stdout
            taken.append(time.perf_counter() - started)
            peaks.append(int(said.splitlines()[-1]) / 1024)
    return [Measured("plan_1000_trainings", taken, "s"), Measured("plan_1000_trainings_memory", peaks, "MiB")]


if __name__ == "__main__":
    main()
