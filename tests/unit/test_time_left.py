"""The time left of a run, by hand: the plan's estimates, and how the run has kept to them."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

import snakemake_logger_plugin_weldbench as plugin
from weldbench.planning import time_left as module
from weldbench.planning.plan import Plan
from weldbench.planning.stages import Stage
from weldbench.planning.time_left import TimeLeft


def stage(name: str, model: str, phase: str, jobs: int, seconds: float) -> Stage:
    return Stage(name, model, phase, jobs, seconds, seconds, "cpu", 0, 0)


STAGES = [
    stage("fetch", "", "data", 1, 20),
    stage("train", "quick", "models", 2, 10),
    stage("train", "slow", "models", 2, 90),
    stage("report", "", "conclusions", 1, 10),
]
TO_RUN = {"fetch": 1, "train": 4, "report": 1, "all": 1}
WHOLE = 20 + (2 * 10 + 2 * 90) + 10  # seconds, on one core


def plan(cores: int = 1) -> Plan:
    return Plan("mine", STAGES, WHOLE, 0, 0, cores, "cpu", [])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def work(left: TimeLeft, clock: SimpleNamespace, rule: str, model: str, seconds: float) -> None:
    left.start(1, rule, model, "mine")
    clock.now += seconds
    left.finish(1)


def test_a_run_that_keeps_to_the_plan_has_left_what_is_planned(clock: SimpleNamespace) -> None:
    left = TimeLeft(plan(), TO_RUN)
    assert left.seconds() == pytest.approx(WHOLE)
    for rule, model, took, then in [("fetch", "", 20, 210), ("train", "slow", 90, 120), ("train", "quick", 10, 110)]:
        work(left, clock, rule, model, took)
        assert left.seconds() == pytest.approx(then)
    left.start(2, "train", "slow", "mine")
    clock.now += 45
    assert left.seconds() == pytest.approx(45 + 10 + 10)
    clock.now += 1000  # a job that takes longer than planned: it may end at any time
    assert left.seconds() == pytest.approx(10 + 10)


def test_a_run_that_is_slower_has_more_left(clock: SimpleNamespace) -> None:
    left = TimeLeft(plan(), TO_RUN)
    work(left, clock, "fetch", "", 60)
    assert left.seconds() == pytest.approx(210 * (20 + 60) / (20 + 20))
    work(left, clock, "train", "slow", 270)
    assert left.seconds() == pytest.approx(120 * (20 + 60 + 270) / (20 + 20 + 90))


def test_on_two_cores_two_jobs_run_at_a_time(clock: SimpleNamespace) -> None:
    left = TimeLeft(plan(cores=2), TO_RUN)
    assert left.seconds() == pytest.approx(20 + 1.25 * 200 / 2 + 10)
    work(left, clock, "fetch", "", 20)
    work(left, clock, "train", "quick", 12.5)  # as long as planned beside another
    assert left.seconds() == pytest.approx(1.25 * 190 / 2 + 10)


def test_of_a_run_of_fewer_jobs_those_that_have_not_started_count_by_their_mean(clock: SimpleNamespace) -> None:
    left = TimeLeft(plan(), {"train": 2, "report": 1, "all": 1})
    assert left.seconds() == pytest.approx(2 * 50 + 10)
    work(left, clock, "train", "slow", 90)
    assert left.seconds() == pytest.approx((10 + 10 + 90) / 3 + 10)


def test_nothing_is_claimed_of_what_no_plan_has(clock: SimpleNamespace) -> None:
    assert TimeLeft(plan(), {"learning_curve_point": 3, "report": 1}).seconds() is None
    other_dataset, other_model, done = (TimeLeft(plan(), TO_RUN) for _ in range(3))
    other_dataset.start(1, "fetch", "", "ss304")
    other_model.start(1, "train", "new", "mine")
    assert other_dataset.seconds() is None
    assert other_model.seconds() is None
    for rule, model, took in [("fetch", "", 20), *[("train", "slow", 90), ("train", "quick", 10)] * 2]:
        work(done, clock, rule, model, took)
    work(done, clock, "report", "", 10)
    assert done.seconds() is None  # there is nothing left


def lines(said: pytest.CaptureFixture[str], events: list[dict]) -> Iterator[str]:
    settings = {"quiet": set(), "show_failed_logs": False, "verbose": False, "dryrun": False}
    settings |= {"debug_dag": False, "printshellcmds": False, "nocolor": True, "stdout": False}
    handler = plugin.LogHandler(SimpleNamespace(**settings), None)
    for event in events:
        handler.emit(logging.makeLogRecord({"levelno": logging.INFO, "msg": "", **event}))
    return iter(said.readouterr().err.splitlines())


EVENTS = [
    {"event": LogEvent.RESOURCES_INFO, "cores": 1},
    {"event": LogEvent.RUN_INFO, "stats": {**TO_RUN, "total": 7}},
    {
        "event": LogEvent.JOB_INFO,
        "jobid": 5,
        "rule_name": "fetch",
        "wildcards": {"dataset": "mine"},
        "log": ["logs/mine/fetch.log"],
    },
    {"event": LogEvent.JOB_FINISHED, "job_id": 5},
]


def test_the_line_of_a_job_ends_with_the_time_left_of_the_run(monkeypatch, capsys) -> None:
    monkeypatch.setattr("weldbench.planning.summary.known_plan", lambda params, cores: plan(cores))
    (line,) = lines(capsys, EVENTS)
    assert line.startswith("1/7 fetch mine: 0 s; about ")
    assert line.endswith(" left")


def test_without_measurements_it_claims_nothing(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr("weldbench.planning.calibration._read", lambda path: {})
    assert list(lines(capsys, EVENTS)) == ["1/7 fetch mine: 0 s"]


def test_on_other_machines_it_claims_nothing(monkeypatch, capsys) -> None:
    monkeypatch.setattr("weldbench.planning.summary.known_plan", lambda params, cores: plan(cores))
    elsewhere = [{"event": LogEvent.RESOURCES_INFO, "nodes": 4}, *EVENTS[1:]]
    assert list(lines(capsys, elsewhere)) == ["1/7 fetch mine: 0 s"]
