"""The server under load from another process, with broken, slow and cut requests among the good ones."""

import multiprocessing
import os
import random
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from deploy.serving import Server, serving
from deploy.tiny_export import DARK, png, save_tiny_export

MIB = 2**20


def load(
    url: str, picture: bytes, seconds: float, results: "multiprocessing.Queue[tuple[Counter, list[float]]]"
) -> None:
    """Send requests from eight threads; return how often each status came, and the seconds of those answered."""
    end = time.monotonic() + seconds
    statuses: Counter = Counter()
    took: list[float] = []

    def good(chance: random.Random) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while time.monotonic() < end:
                content = chance.choice([picture] * 8 + [picture[:300], b"nonsense"])
                start = time.perf_counter()
                status = client.post("/v1/predict", content=content).status_code
                statuses[status] += 1
                if status == 200:
                    took.append(time.perf_counter() - start)

    def bad(chance: random.Random) -> None:
        host, port = url.removeprefix("http://").split(":")
        head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(picture)
        while time.monotonic() < end:
            with socket.create_connection((host, int(port)), timeout=60) as connection:
                kind = chance.choice(["cut", "slow", "nonsense"])
                if kind == "cut":
                    connection.sendall(head + picture[: chance.randrange(len(picture))])
                elif kind == "nonsense":
                    connection.sendall(os.urandom(200) + b"\r\n\r\n")
                    statuses[connection.recv(12)[-3:].decode()] += 1
                else:
                    connection.sendall(head)
                    for start in range(0, len(picture), len(picture) // 4 + 1):
                        time.sleep(0.05)
                        connection.sendall(picture[start : start + len(picture) // 4 + 1])
                    statuses[connection.recv(12)[-3:].decode()] += 1

    threads = [threading.Thread(target=good if n % 4 else bad, args=(random.Random(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((statuses, took))


def under_load(server: Server, picture: bytes, seconds: float) -> tuple[Counter, list[float]]:
    spawned = multiprocessing.get_context("spawn")
    results = spawned.Queue()
    process = spawned.Process(target=load, args=(server.url, picture, seconds, results))
    process.start()
    answer = results.get(timeout=seconds + 120)
    process.join()
    return answer


@pytest.mark.parametrize("seconds", [4, pytest.param(30, marks=pytest.mark.long)])
def test_every_request_is_answered_or_refused_and_memory_stays(tmp_path: Path, seconds: float) -> None:
    picture = png(tmp_path / "frame.png", DARK, width=1280, height=700).read_bytes()
    with serving(save_tiny_export(tmp_path / "export")) as running:
        memory = psutil.Process(running.process.pid).memory_info
        under_load(running, picture, seconds / 2)
        before_bytes = memory().rss
        statuses, took = under_load(running, picture, seconds)
        grown_bytes = memory().rss - before_bytes
        print(f"{len(took) / seconds:.0f} answers/s, p50 and p99 {np.percentile(took, [50, 99]) * 1000} ms, {statuses}")
        assert {str(status) for status in statuses} <= {"200", "400", "422", "503"}
        assert statuses[200] > 20
        assert grown_bytes < 48 * MIB
        printed = running.stop()
    assert "Traceback" not in printed
