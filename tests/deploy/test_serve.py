"""`weldbench serve` over real HTTP: answers, refusals, limits, and how it stops."""

import base64
import concurrent.futures
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import schemathesis
from deploy.serving import PATIENCE_SECONDS, Server, refused, serving
from deploy.tiny_export import BRIGHT, CLASSES, DARK, MIDDLE, PROMISE, STRANGE, TEMPERATURE, png, save_tiny_export
from hypothesis import HealthCheck, given, settings
from PIL import Image
from schemathesis.specs.openapi.checks import positive_data_acceptance

from weldbench.deploy.promise import CONDITIONS

TOKEN = "a token of more than sixteen letters, ä"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(save_tiny_export(tmp_path_factory.mktemp("serve") / "export")) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as opened:
        yield opened


@pytest.fixture
def frame(tmp_path: Path) -> bytes:
    return png(tmp_path / "dark.png", DARK).read_bytes()


def raw_request(server: Server, *parts: bytes, pause_seconds: float = 0, half_close: bool = False) -> bytes:
    """Send bytes as they are, and return whatever comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_seconds)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


@pytest.mark.parametrize("as_form", [False, True])
def test_a_frame_gets_its_verdict(client: httpx.Client, frame: bytes, as_form: bool) -> None:
    sent = {"files": {"frame": ("a.png", frame)}} if as_form else {"content": frame}
    answer = client.post("/v1/predict", **sent).json()
    logits = -0.05 * np.abs(np.array([128.0, 30.0, 225.0]) - 30)
    expected = np.exp(logits) / np.exp(logits).sum()
    assert list(answer["probabilities"]) == list(CLASSES)
    assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=0.01)
    assert answer["defect_score"] == pytest.approx(1 - answer["probabilities"]["good_weld"])
    assert (answer["class"], answer["decision"], answer["view"]) == ("burn_through", "defect", None)
    assert answer["name"] == ("a.png" if as_form else None)
    assert (answer["width_px"], answer["height_px"]) == (64, 48)
    calibrated = np.exp(logits / TEMPERATURE) / np.exp(logits / TEMPERATURE).sum()
    assert list(answer["calibrated"].values()) == pytest.approx(calibrated, abs=0.01)
    assert answer["novelty"] is None


def test_a_view_has_the_frame_and_its_heat_map(client: httpx.Client, frame: bytes) -> None:
    view = client.post("/v1/predict", params={"view": True}, content=frame).json()["view"]
    sizes = {name: Image.open(io.BytesIO(base64.b64decode(picture))).size for name, picture in view.items()}
    assert sizes == {"frame": (64, 48), "heat_map": (8, 6)}


def test_a_batch_votes_and_goes_on_behind_a_broken_frame(client: httpx.Client, tmp_path: Path) -> None:
    frames = [png(tmp_path / "f.png", level).read_bytes() for level in (MIDDLE, DARK, MIDDLE, BRIGHT, BRIGHT)]
    files = [("frames", (f"{number}.png", content)) for number, content in enumerate(frames)]
    files.insert(2, ("frames", ("cut.png", frames[0][:99])))
    answer = client.post("/v1/predict/batch", files=files).json()["frames"]
    assert [each["verdict"] and each["verdict"]["decision"] for each in answer] == [
        *("good", "defect", None, "good", "defect", "defect"),
    ]
    assert [each["vote"] for each in answer] == ["good", "defect", None, "good", "defect", "defect"]
    assert answer[2]["name"] == "cut.png"
    assert "damaged" in answer[2]["error"]


def test_a_promise_and_unknown_frames_are_served(tmp_path: Path) -> None:
    export = save_tiny_export(tmp_path / "export", promises=(PROMISE,), novelty=True)
    frames = [png(tmp_path / "f.png", level).read_bytes() for level in (MIDDLE, STRANGE, STRANGE, MIDDLE, MIDDLE, DARK)]
    with (
        serving(export, "--promise") as running,
        httpx.Client(base_url=running.url, timeout=PATIENCE_SECONDS) as client,
    ):
        model = client.get("/v1/model").json()
        one = client.post("/v1/predict", content=frames[1]).json()
        welds = [
            client.post(
                "/v1/predict/batch", files=[("frames", (f"{at}.png", content)) for at, content in enumerate(sent)]
            )
            for sent in (frames[:4], frames[3:5], [b"no picture"])
        ]
        counted = client.get("/metrics").text
        printed = running.stop()
    assert (model["threshold"], model["false_rejects"], model["novelty_threshold"]) == (0.125, None, 5.0)
    assert model["promise"]["sentences"] == PROMISE.sentences
    assert (
        model["promise"]["conditions"]
        == f"{CONDITIONS} The frames of a weld have to be sent as one batch, of at most 64."
    )
    assert f"promise: {PROMISE.sentences}\n{model['promise']['conditions']}" in printed
    assert (one["class"], one["decision"]) == ("good_weld", "unknown")
    assert one["novelty"] > 5
    assert [each["vote"] for each in welds[0].json()["frames"]] == ["good", "unknown", "unknown", "unknown"]
    assert [weld.json()["weld"] for weld in welds] == ["rejected", "passed", None]
    assert 'weldbench_frames_total{class="good_weld",decision="unknown"} 3.0' in counted


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"https://example.org/a.png", b"/etc/passwd"])
def test_what_is_no_picture_is_refused_by_a_sentence(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/v1/predict", content=content)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("it is ")


def test_a_name_opens_nothing(client: httpx.Client, frame: bytes) -> None:
    for name in ("/etc/passwd", "../../secret.png", "http://example.org/a.png", "a\u202egnp.exe"):
        answer = client.post("/v1/predict", files={"frame": (name, frame)})
        assert answer.status_code == 200
        assert answer.json()["decision"] == "defect"


def test_pictures_and_bodies_have_a_largest_size(client: httpx.Client, tmp_path: Path) -> None:
    Image.new("1", (5000, 5000)).save(tmp_path / "bomb.png")
    answer = client.post("/v1/predict", content=(tmp_path / "bomb.png").read_bytes())
    assert answer.status_code == 422
    assert "16,000,000 pixels" in answer.json()["detail"]
    too_large = bytes(33 * 2**20)
    for content in (too_large, iter([too_large[: 2**20]] * 33)):  # with its length in the head, and in chunks without
        answer = client.post("/v1/predict", content=content)
        assert answer.status_code == 413
        assert "33554432 bytes" in answer.json()["detail"]


def test_malformed_forms_are_refused(client: httpx.Client) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    cases = [
        ("/v1/predict", {"Content-Type": "multipart/form-data"}, b"--x", 400),
        ("/v1/predict", form, b"--x\r\nnonsense", 400),
        ("/v1/predict", form, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n--x--\r\n', 400),
        ("/v1/predict", {"Content-Type": "multipart/form-data; boundary=" + "x" * 5000}, b"--x", 400),
        ("/v1/predict/batch", {"Content-Type": "image/png"}, b"x", 415),
    ]
    for path, headers, content, status in cases:
        answer = client.post(path, headers=headers, content=content)
        assert answer.status_code == status, answer.text
        assert set(answer.json()) == {"detail"}
    two = [("a", ("a.png", b"x")), ("b", ("b.png", b"x"))]
    assert client.post("/v1/predict", files=two).status_code == 400


def test_the_model_and_the_operation_are_told(client: httpx.Client, frame: bytes) -> None:
    model = client.get("/v1/model").json()
    assert (model["promise"], model["novelty_threshold"], model["temperature"]) == (None, None, TEMPERATURE)
    assert (model["classes"], model["threshold"], model["false_rejects"]) == (list(CLASSES), 0.5, 0.01)
    assert client.get("/healthz").text == "alive\n"
    assert client.get("/readyz").text == "ready\n"
    before = client.get("/metrics").text
    client.post("/v1/predict", content=frame)
    client.get("/" + "x" * 50)
    after = client.get("/metrics").text
    name = 'weldbench_requests_total{method="POST",path="/v1/predict",status="200"}'

    def value(text: str) -> float:
        return float(next((line.split()[-1] for line in text.splitlines() if line.startswith(name)), 0))

    assert value(after) == value(before) + 1
    assert 'path="other"' in after
    assert "xxx" not in after


def test_docs_and_page_ask_for_nothing_outside(client: httpx.Client) -> None:
    for path in ("/", "/page.js", "/page.css", "/docs"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "http:" not in answer.text.replace("http://www.w3.org", "")
        assert "https:" not in answer.text
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200
    assert client.get("/static-offline-docs/../consts.py").status_code == 404


def test_a_token_is_demanded_and_compared_as_a_whole(tmp_path: Path, frame: bytes) -> None:
    export = save_tiny_export(tmp_path / "export")
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    with serving(export, "--host", "0.0.0.0", "--token-file", str(tmp_path / "token")) as running:
        with httpx.Client(base_url=running.url, timeout=PATIENCE_SECONDS) as client:
            right = {"Authorization": b"Bearer " + TOKEN.encode()}
            for path, method in (("/v1/model", "GET"), ("/v1/predict", "POST"), ("/metrics", "GET")):
                for wrong in ("", "Bearer x", "Basic x", "Bearer", TOKEN.encode(), b"Bearer " + TOKEN.encode()[:-1]):
                    answer = client.request(method, path, headers={"Authorization": wrong}, content=b"")
                    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert client.post("/v1/predict", content=frame, headers=right).status_code == 200
            assert client.get("/metrics", headers=right).status_code == 200
            assert client.get("/healthz").status_code == 200
        assert TOKEN not in running.stop()


@pytest.mark.parametrize(
    ("options", "token", "said"),
    [
        (("--host", "0.0.0.0"), None, "a token is needed"),
        (("--host", "::"), None, "a token is needed"),
        (("--host", ""), None, "a token is needed"),
        (("--host", "0"), None, "a token is needed"),
        (("--host", "0.0.0.0"), "  ", "this is no token"),
        (("--host", "0.0.0.0", "--token-file", "missing"), None, "this token cannot be read"),
        (("--host", "no.such.host.invalid"), None, "cannot listen there"),
        (("--port", "70000"), None, "there is no such port"),
        (("--port", "-1"), None, "there is no such port"),
        (("--false-rejects", "0.5"), None, "no threshold for 0.5"),
    ],
)
def test_mistakes_end_with_2_and_a_sentence(
    tmp_path: Path, options: tuple[str, ...], token: str | None, said: str
) -> None:
    printed = refused(save_tiny_export(tmp_path / "export"), *options, token=token)
    assert said in printed
    assert "Traceback" not in printed


def test_a_port_in_use_is_said(server: Server, tmp_path: Path) -> None:
    printed = refused(save_tiny_export(tmp_path / "export"), "--port", str(server.port))
    assert "choose another --host or --port" in printed


def test_cut_and_malformed_requests_harm_nobody(server: Server, client: httpx.Client, frame: bytes) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(frame)
    assert raw_request(server, head + frame).startswith(b"HTTP/1.1 200 ")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head + frame[: len(frame) // 2])  # and goes away
    assert raw_request(server, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert raw_request(server, head.replace(b"%d" % len(frame), b"-1")).startswith(b"HTTP/1.1 400 ")
    half = [frame[: len(frame) // 2], frame[len(frame) // 2 :]]
    assert raw_request(server, head, *half, pause_seconds=0.3).startswith(b"HTTP/1.1 200 ")
    assert client.post("/v1/predict", content=frame).status_code == 200


def test_more_than_the_queue_holds_is_refused_for_now(server: Server, client: httpx.Client, frame: bytes) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(frame)
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(32)]
    try:
        for connection in slow:
            connection.sendall(head)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while "weldbench_requests_accepted 32.0" not in client.get("/metrics").text:
            assert time.monotonic() < give_up
        answer = client.post("/v1/predict", content=frame)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.get("/healthz").status_code == 200
        for connection in slow:
            connection.sendall(frame)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in slow:
            connection.close()
    while client.post("/v1/predict", content=frame).status_code == 503:
        assert time.monotonic() < give_up


def test_what_is_accepted_is_answered_before_it_stops(tmp_path: Path, frame: bytes) -> None:
    with serving(save_tiny_export(tmp_path / "export")) as running:
        head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(frame)
        with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(head + frame[:100])
            time.sleep(0.5)
            stopping = threading.Thread(target=running.stop)
            stopping.start()
            time.sleep(1)
            assert running.process.poll() is None
            connection.sendall(frame[100:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        stopping.join()
        assert "stopped; what was accepted is answered" in running.printed.read_text()


def test_a_request_that_is_made_from_the_description_is_never_an_error_of_the_server(server: Server) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    checked = 0
    for operation in schema.get_all_operations():
        strategy = operation.ok().as_strategy()
        checked += 1

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=strategy)
        def never_fails(case: schemathesis.Case) -> None:
            answer = case.call()
            assert answer.status_code < 500 or answer.status_code == 503
            # Bytes that are no picture are valid by the description, and refused all the same.
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])

        never_fails()
    assert checked == 6


def test_a_crowd_of_clients_is_answered_or_refused(client: httpx.Client, frame: bytes) -> None:
    with concurrent.futures.ThreadPoolExecutor(40) as crowd:
        sent = [crowd.submit(client.post, "/v1/predict", content=frame) for _ in range(200)]
    statuses = {each.result().status_code for each in sent}
    assert statuses <= {200, 503}
    assert json.loads(sent[0].result().text)
