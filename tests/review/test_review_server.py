"""What the server of a review writes, refuses and remembers, asked over real HTTP."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from review.reviewing import Reviewing, refused, reviewing, write_project

from weldbench.splitting.corrections import read_corrections


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


@pytest.fixture
def server(project: Path) -> Iterator[Reviewing]:
    with reviewing(project) as running:
        yield running


def decide(server: Reviewing, stretch: int, label: str | None, first: int, last: int) -> httpx.Response:
    content = {"stretch": stretch, "label": label, "first": first, "last": last}
    return httpx.post(f"{server.url}/v1/decisions", json=content, headers={"Origin": server.url})


def undo(server: Reviewing) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/undo", json={}, headers={"Origin": server.url})


def told(server: Reviewing) -> dict:
    return httpx.get(f"{server.url}/v1/review").json()


def lines(project: Path) -> list[tuple[str, str, str]]:
    return [(each.given, each.action, each.corrected) for each in read_corrections(project / "corrections/blobs.csv")]


def test_decisions_are_in_the_file_when_the_answer_comes(project: Path, server: Reviewing) -> None:
    assert not (project / "corrections/blobs.csv").exists()
    answer = decide(server, 1, "burn_through", 1, 2)
    assert answer.json() == {"number": 1, "decision": ["good_weld", "burn_through", "burn_through", "good_weld"]}
    kept, right = ("good_weld", "keep", "good_weld"), ("good_weld", "correct", "burn_through")
    assert lines(project) == [kept, right, right, kept]
    decide(server, 2, None, 0, 2)
    decide(server, 3, "contamination", 0, 1)
    assert lines(project)[4:] == [("burn_through", "drop", "")] * 3 + [("contamination", "keep", "contamination")] * 2


def test_a_decision_can_be_changed_and_each_is_taken_back_in_turn(project: Path, server: Reviewing) -> None:
    decide(server, 3, "good_weld", 0, 1)
    decide(server, 3, None, 0, 1)
    assert lines(project) == [("contamination", "drop", "")] * 2
    assert undo(server).json() == {"number": 3, "decision": ["good_weld"] * 2}
    assert lines(project) == [("contamination", "correct", "good_weld")] * 2
    assert undo(server).json() == {"number": 3, "decision": None}
    assert lines(project) == []
    assert undo(server).json() == {"number": None}


def test_a_review_goes_on_where_it_ended_and_keeps_the_lines_of_others(project: Path) -> None:
    file = project / "corrections/blobs.csv"
    file.parent.mkdir()
    file.write_text("path,given,action,corrected\nelsewhere.png,good_weld,drop,\n")
    with reviewing(project) as first:
        decide(first, 1, "contamination", 0, 3)
        printed = first.stop()
    assert "1 of 3 stretches are decided" in printed
    assert "per_dataset: {blobs: {split: {corrections: corrections/blobs.csv}}}" in printed
    with reviewing(project) as second:
        decisions = [stretch["decision"] for stretch in told(second)["stretches"]]
        assert decisions == [["contamination"] * 4, None, None]
    assert file.read_text().splitlines()[1] == "elsewhere.png,good_weld,drop,"


def test_a_second_review_of_the_same_file_is_refused(project: Path, server: Reviewing) -> None:
    assert "another process is writing it" in refused(project)


def test_a_file_that_something_else_changed_is_not_overwritten(project: Path, server: Reviewing) -> None:
    decide(server, 1, "good_weld", 0, 3)
    file = project / "corrections/blobs.csv"
    file.write_text(file.read_text() + "elsewhere.png,good_weld,drop,\n")
    answer = decide(server, 2, None, 0, 2)
    assert answer.status_code == 409
    assert "was changed by something else; start `weldbench review` again" in answer.json()["detail"]
    assert file.read_text().endswith("elsewhere.png,good_weld,drop,\n")


@pytest.mark.parametrize(
    "content",
    [
        {"stretch": 0, "label": "good_weld", "first": 0, "last": 0},
        {"stretch": 4, "label": "good_weld", "first": 0, "last": 0},
        {"stretch": 1, "label": "rust", "first": 0, "last": 0},
        {"stretch": 1, "label": "good_weld", "first": 2, "last": 1},
        {"stretch": 1, "label": "good_weld", "first": 0, "last": 4},
        {"stretch": 1, "label": "good_weld", "first": -1, "last": 0},
        {"stretch": "1", "label": "good_weld", "first": 0, "last": 0},
        {"stretch": 1, "first": 0, "last": 0},
        {"stretch": 1, "label": "good_weld", "first": 0, "last": 0, "file": "/etc/passwd"},
        [],
    ],
)
def test_what_is_no_decision_changes_nothing(project: Path, server: Reviewing, content: object) -> None:
    answer = httpx.post(f"{server.url}/v1/decisions", json=content, headers={"Origin": server.url})
    assert answer.status_code == 422
    assert not (project / "corrections/blobs.csv").exists()


def test_no_other_site_can_decide_or_read(project: Path, server: Reviewing) -> None:
    """What a browser sends for a page of another site, or for a name that was made to point here."""
    body = json.dumps({"stretch": 1, "label": None, "first": 0, "last": 3})
    json_type = {"Content-Type": "application/json"}
    port = server.url.rpartition(":")[2]
    asked = {
        "another origin": {**json_type, "Origin": "http://evil.example"},
        "a hidden origin": {**json_type, "Origin": "null"},
        "no origin": json_type,
        "another port": {**json_type, "Origin": "http://127.0.0.1:1"},
        "a form": {"Content-Type": "text/plain", "Origin": server.url},
        "another name": {**json_type, "Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"},
    }
    for name, headers in asked.items():
        for address in ("v1/decisions", "v1/undo"):
            assert httpx.post(f"{server.url}/{address}", content=body, headers=headers).status_code == 403, name
    huge = httpx.post(f"{server.url}/v1/decisions", content=" " * 5000, headers={**json_type, "Origin": server.url})
    assert huge.status_code == 403
    for address in ("", "v1/review", "v1/frames/0", "review.js"):
        answer = httpx.get(f"{server.url}/{address}", headers={"Host": f"evil.example:{port}"})
        assert answer.status_code == 403
    assert httpx.get(f"http://localhost:{port}/v1/review").status_code == 200
    page = httpx.get(server.url)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not (project / "corrections/blobs.csv").exists()


def test_only_frames_of_the_list_are_sent(server: Reviewing) -> None:
    row = told(server)["stretches"][0]["rows"][0]
    assert httpx.get(f"{server.url}/v1/frames/{row}").headers["Content-Type"] == "image/png"
    for other in ("41", "-1", "1000000", "..%2f..%2fparams.yaml"):
        assert httpx.get(f"{server.url}/v1/frames/{other}").status_code in {404, 422}


def test_a_folder_that_cannot_be_written_is_said_and_nothing_counts(project: Path, server: Reviewing) -> None:
    blocked = project / "corrections"
    # What stands in the way of a folder, also for root, who may write everywhere.
    (blocked / ".blobs.partial.csv").mkdir(parents=True, mode=stat.S_IRWXU)
    answer = decide(server, 1, "good_weld", 0, 3)
    assert answer.status_code >= 500
    assert told(server)["stretches"][0]["decision"] is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda project: (project / "results/blobs/review.csv").unlink(), "run `snakemake --cores all review` first"),
        (lambda project: (project / "results/blobs/review.csv").write_text("stretch\n1\n"), "this file is damaged"),
        (
            lambda project: edit(project / "results/blobs/review.csv", ",good_weld,good_weld,", ",rust,good_weld,"),
            "is not as this dataset has it",
        ),
        (
            lambda project: edit(project / "results/blobs/review.csv", ",burn_through,yes", ",rust,yes"),
            "this dataset has no class rust",
        ),
        (
            lambda project: (
                (project / "corrections").mkdir(),
                (project / "corrections/blobs.csv").write_text("nothing\n"),
            ),
            "its first line has to be",
        ),
        (lambda project: (project / "data/blobs/frames.npy").unlink(), "ingest the dataset first"),
    ],
)
def test_what_cannot_be_reviewed_is_one_clear_error(project: Path, damage, message: str) -> None:
    damage(project)
    printed = refused(project)
    assert message in printed
    assert "Traceback" not in printed


def test_an_unknown_dataset_and_port_are_refused(project: Path) -> None:
    assert "there is no dataset `mine`" in refused(project, "--dataset", "mine")
    assert "there is no such port" in refused(project, "--port", "70000")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
