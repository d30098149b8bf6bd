"""How long a run will go on: what the plan says of the jobs still to run, as this run has kept to it so far."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from weldbench.planning.plan import Plan, side_by_side, total_seconds
from weldbench.planning.stages import Stage

_TARGETS = {"all"}  # rules that only ask for files
_PRIOR_SECONDS = 20.0  # of a run that keeps to the plan, so that its first short job does not decide


class TimeLeft:
    """Follows the jobs of a run.

    Args:
        plan: Of a whole run of params.yaml.
        to_run: Rule -> jobs that this run has, which may be fewer.
    """

    def __init__(self, plan: Plan, to_run: Mapping[str, int]):
        self._plan = plan
        self._stages = {(stage.name, stage.model): stage for stage in plan.stages}
        self._planned = Counter({key: stage.jobs for key, stage in self._stages.items()})
        self._to_run = Counter({rule: jobs for rule, jobs in to_run.items() if rule not in _TARGETS})
        self._running: dict[int, tuple[Stage, float]] = {}
        self._took, self._estimated = _PRIOR_SECONDS, _PRIOR_SECONDS
        self._known = self._to_run.keys() <= {stage.name for stage in plan.stages}

    def start(self, job: int, rule: str, model: str, dataset: str) -> None:
        """Note that a job starts.

        Args:
            job: A number of its own.
            rule: Which, as the plan names its stages.
            model: Key in `models`; empty where the job concerns all.
            dataset: Key in `datasets`; empty where it concerns none.
        """
        if rule in _TARGETS:
            return
        stage = self._stages.get((rule, model)) or self._stages.get((rule, ""))
        if not stage or dataset not in {"", self._plan.dataset}:
            self._known = False
            return
        self._planned[stage.name, stage.model] -= 1
        self._to_run[rule] -= 1
        self._running[job] = stage, time.monotonic()

    def finish(self, job: int) -> None:
        """Note that a job has ended, and how well it kept to the plan."""
        if job in self._running:
            stage, started = self._running.pop(job)
            self._took += time.monotonic() - started
            self._estimated += self._expected(stage)

    def seconds(self) -> float | None:
        """Return the seconds that the run will go on; None where a job of it is in no plan, or none is left."""
        if not self._known or not (self._running or self._to_run.total() > 0):
            return None
        left = [stage for rule, jobs in self._to_run.items() for stage in self._share(rule, jobs)]
        pace, now = self._took / self._estimated, time.monotonic()
        for stage, started in self._running.values():
            open_share = max(0.0, 1 - (now - started) / (pace * self._expected(stage)))
            seconds, core_seconds = open_share * stage.seconds, open_share * stage.core_seconds
            left.append(replace(stage, jobs=1, seconds=seconds, core_seconds=core_seconds))
        return pace * total_seconds(left, self._plan.cores)

    def _share(self, rule: str, jobs: int) -> list[Stage]:
        """Return a rule's stages with as many jobs as are to run; which models they are of is known once they start."""
        stages = [stage for stage in self._plan.stages if stage.name == rule]
        planned = {stage.model: max(0, self._planned[rule, stage.model]) for stage in stages}
        every = max(1, sum(planned.values()))
        found = []
        for stage in stages:
            share = planned[stage.model] * jobs / every
            side_by_side_jobs = min(share, 1.0) if stage.device == "cpu" else share
            seconds, core_seconds = stage.seconds * side_by_side_jobs, stage.core_seconds * share
            found.append(replace(stage, jobs=1, seconds=seconds, core_seconds=core_seconds))
        return found

    def _expected(self, stage: Stage) -> float:
        """Return the seconds of one job beside others."""
        return max(stage.seconds, 0.1) * side_by_side(stage, self._plan.cores)
