"""The real Kaggle client against a server on this machine: whole and broken downloads, refusals, wrong contents.

The client takes its server from KAGGLE_API_ENVIRONMENT and its port from nowhere, so the server stands in as its proxy.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from archives import CLASSES, published, small_dataset, write_zip

from weldbench.config.data import KaggleDataset
from weldbench.errors import InputError
from weldbench.ingest.fetch import fetch

ROOT = Path(__file__).resolve().parents[2]
HANDLE = "someone/weld-frames"
BLOCK_BYTES = 2**20  # the client writes a file in blocks of this size, and loses one that breaks off


class Kaggle(ThreadingHTTPServer):
    """A Kaggle that serves one zip, and can be told to fail."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = b""
        self.status = 200
        self.cut_at: list[int] = []  # bytes of the file after which the next answers break off
        self.stalls = False  # instead of breaking off, say nothing more
        self.ranges: list[str] = []
        self.asked_for: list[dict] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Kaggle

    def do_POST(self) -> None:
        self.server.asked_for.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if self.server.status != 200:
            body = json.dumps({"code": self.server.status, "message": "so it is"}).encode()
            self._answer(self.server.status, {"Content-Type": "application/json"}, body)
        else:
            self._answer(302, {"Location": "http://localhost/storage/archive.zip"}, b"")

    def do_GET(self) -> None:
        whole, asked = self.server.body, self.headers.get("Range", "")
        self.server.ranges.append(asked)
        start = _start(asked)
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": f'"{hashlib.md5(whole).hexdigest()}"',
            "Last-Modified": "Mon, 02 Nov 2020 10:00:00 GMT",
            "Content-Type": "application/zip",
        }
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        cut = self.server.cut_at.pop(0) if self.server.cut_at else None
        self._answer(206 if start else 200, headers, whole[start:], None if cut is None else cut - start)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        self.wfile.flush()
        if cut is not None:
            while self.server.stalls:
                time.sleep(0.01)
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session", autouse=True)
def _no_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # The client reads these when it is first imported.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
        patch.delenv("KAGGLE_API_TOKEN", raising=False)
        patch.delenv("KAGGLE_USERNAME", raising=False)
        patch.delenv("KAGGLE_CONFIG_DIR", raising=False)
        yield


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kaggle]:
    server = Kaggle()
    filler = {"description.bin": random.randbytes(5 * BLOCK_BYTES)}
    server.body = write_zip(tmp_path / "source.zip", published(small_dataset()) | filler).read_bytes()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    yield server
    server.stalls = False
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client's pauses between its attempts take no time."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def dataset(**changes: object) -> KaggleDataset:
    return KaggleDataset(source="kaggle", handle=HANDLE, classes=CLASSES, **changes)


def assert_refused(folder: Path, expected: str, **changes: object) -> str:
    """Fetch must fail with a message that matches, and leave nothing under the final names."""
    with pytest.raises(InputError, match=expected) as refusal:
        fetch(folder / "archive.zip", "ours", dataset(**changes))
    assert sorted(path.name for path in folder.iterdir() if path.name != "download") == []
    return str(refusal.value)


def test_a_whole_download(kaggle: Kaggle, tmp_path: Path) -> None:
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "ours", dataset(frames=36, version=3))
    assert archive.read_bytes() == kaggle.body
    recorded = json.loads(archive.with_suffix(".json").read_text())
    assert recorded["sha256"] == hashlib.sha256(kaggle.body).hexdigest()
    assert recorded["bytes"] == len(kaggle.body)
    assert recorded["handle"] == HANDLE
    assert kaggle.asked_for == [{"ownerSlug": "someone", "datasetSlug": "weld-frames", "datasetVersionNumber": 3}]


def test_a_second_fetch_downloads_nothing(kaggle: Kaggle, tmp_path: Path) -> None:
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "ours", dataset())
    kept = (tmp_path / "data" / "download" / "weld-frames.zip").stat()
    archive.unlink()
    fetch(archive, "ours", dataset())
    assert archive.read_bytes() == kaggle.body
    assert (tmp_path / "data" / "download" / "weld-frames.zip").stat().st_mtime_ns == kept.st_mtime_ns
    assert archive.stat().st_ino == kept.st_ino  # one file under two names


def test_a_new_version_is_not_written_over_the_archive_of_before(kaggle: Kaggle, tmp_path: Path) -> None:
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "ours", dataset())
    before = archive.read_bytes()
    kaggle.body = write_zip(tmp_path / "new.zip", published(small_dataset(3))).read_bytes()
    with pytest.raises(InputError, match="expects"):
        fetch(archive, "ours", dataset(sha256="0" * 64))
    assert archive.read_bytes() == before


def test_a_cut_connection_is_resumed(kaggle: Kaggle, impatient: None, tmp_path: Path) -> None:
    cuts = sorted(random.sample(range(BLOCK_BYTES, len(kaggle.body)), 3))
    kaggle.cut_at = cuts.copy()
    fetch(tmp_path / "data" / "archive.zip", "ours", dataset())
    assert (tmp_path / "data" / "archive.zip").read_bytes() == kaggle.body, f"cut at {cuts}"
    assert kaggle.ranges[0] == ""
    for asked, cut in zip(kaggle.ranges[1:], cuts, strict=True):
        assert cut - BLOCK_BYTES < _start(asked) <= cut


def test_a_connection_that_stays_cut_is_one_message_and_the_next_run_resumes(
    kaggle: Kaggle, impatient: None, tmp_path: Path
) -> None:
    cut = random.randrange(BLOCK_BYTES, len(kaggle.body))
    kaggle.cut_at = [cut] * 6
    message = assert_refused(tmp_path / "data", r"connection to Kaggle failed.*is kept")
    assert "source: local" in message
    there = (tmp_path / "data" / "download" / "weld-frames.zip").stat().st_size
    assert cut - BLOCK_BYTES < there <= cut
    kaggle.ranges.clear()
    fetch(tmp_path / "data" / "archive.zip", "ours", dataset())
    assert (tmp_path / "data" / "archive.zip").read_bytes() == kaggle.body
    # The client opens the file once to learn its size, and then asks for the rest.
    assert kaggle.ranges == ["", f"bytes={there}-"]


def test_a_killed_fetch_resumes(kaggle: Kaggle, tmp_path: Path) -> None:
    cut = random.randrange(BLOCK_BYTES, len(kaggle.body))
    kaggle.cut_at, kaggle.stalls = [cut], True
    process = subprocess.Popen(_command(tmp_path), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    partial = tmp_path / "data" / "download" / "weld-frames.zip"
    while not partial.exists() or partial.stat().st_size <= cut - BLOCK_BYTES:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kaggle.stalls = False
    there = partial.stat().st_size
    assert [path.name for path in (tmp_path / "data").glob("[!.]*")] == ["download"]
    fetch(tmp_path / "data" / "archive.zip", "ours", dataset())
    assert (tmp_path / "data" / "archive.zip").read_bytes() == kaggle.body
    assert kaggle.ranges[1:] == ["", f"bytes={there}-"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "access_token"),
        (403, "Accept the dataset's license"),
        (404, "datasets.<name>.handle"),
        (429, "later"),
        (500, "later"),
    ],
)
def test_a_refusal_says_what_to_do(kaggle: Kaggle, tmp_path: Path, status: int, expected: str) -> None:
    kaggle.status = status
    message = assert_refused(tmp_path / "data", expected)
    assert f"Kaggle answered {status} (so it is)" in message
    assert "source: local" in message


def test_a_client_that_gives_up_for_want_of_credentials(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import kaggle as client

    monkeypatch.setattr(client.api, "build_kaggle_client", lambda: sys.exit(1))
    message = assert_refused(tmp_path / "data", "no usable credentials")
    assert "~/.kaggle/access_token" in message


def test_no_network(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    message = assert_refused(tmp_path / "data", "connection to Kaggle failed")
    assert "source: local" in message


def test_another_hash_than_expected(kaggle: Kaggle, tmp_path: Path) -> None:
    found = hashlib.sha256(kaggle.body).hexdigest()
    assert_refused(tmp_path / "data", f"sha256 is {found}.*expects {'0' * 64}", sha256="0" * 64)


def test_another_number_of_frames_than_expected(kaggle: Kaggle, tmp_path: Path) -> None:
    assert_refused(tmp_path / "data", "36 frames in it.*expects 45058", frames=45058)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"train": 12, "test": 13}, "12 frames of test in it.*expects 13"),
        ({"valid": {"good_weld": 4, "burn_through": 5}}, "4 frames of burn_through in valid in it.*expects 5"),
    ],
)
def test_another_count_than_expected(kaggle: Kaggle, tmp_path: Path, counts: dict, expected: str) -> None:
    assert_refused(tmp_path / "data", expected, counts=counts)


def test_the_counts_that_are_expected(kaggle: Kaggle, tmp_path: Path) -> None:
    counts = {"train": 12, "test": dict.fromkeys(CLASSES, 4)}
    fetch(tmp_path / "data" / "archive.zip", "ours", dataset(counts=counts))


def test_a_body_that_is_no_zip_is_thrown_away(kaggle: Kaggle, tmp_path: Path) -> None:
    good, kaggle.body = kaggle.body, b"<html>Please log in</html>"
    assert_refused(tmp_path / "data", "no zip")
    kaggle.body = good
    fetch(tmp_path / "data" / "archive.zip", "ours", dataset())
    assert (tmp_path / "data" / "archive.zip").read_bytes() == good


def test_too_little_space_is_told_before_the_download(
    kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=len(kaggle.body) - 1))
    assert_refused(tmp_path / "data", "make room")
    assert not (tmp_path / "data" / "download" / "weld-frames.zip").exists()


def test_the_command_exits_with_2_and_prints_nothing_to_stdout(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.status = 403
    ended = subprocess.run(_command(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"error: {HANDLE}: Kaggle answered 403 (so it is). ")
    assert "Traceback" not in ended.stderr


def test_a_home_that_cannot_be_written_is_one_message(kaggle: Kaggle, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "KAGGLE_CONFIG_DIR"}
    environment |= {"HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull}
    ended = subprocess.run(_command(tmp_path), cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode == 2, ended.stderr
    assert "set KAGGLE_CONFIG_DIR to another one" in ended.stderr
    assert "Traceback" not in ended.stderr


def _start(asked: str) -> int:
    """First byte of a Range header; an absent one asks for all."""
    return int(asked.removeprefix("bytes=").removesuffix("-") or 0)


def _command(folder: Path) -> list[str]:
    entry = {"source": "kaggle", "handle": HANDLE, "classes": CLASSES}
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["datasets"]["ours"] = entry
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    script = ROOT / "scripts" / "fetch.py"
    return [sys.executable, str(script), "--dataset", "ours", "--archive", "data/archive.zip"]
