"""The server's judges while they load: whatever goes wrong ends all of them, so that the process ends too."""

import threading
from typing import NoReturn

import pytest

from weldbench.deploy.serve.pool import JudgePool
from weldbench.errors import InputError

PATIENCE_SECONDS = 60  # against hangs only


class Silent:
    def warm_up(self) -> None: ...


def assert_all_end() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("judge"):
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


@pytest.mark.parametrize("refused", [0, 1, 3])
def test_a_thread_that_the_system_refuses_lets_the_others_end(monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if thread.name == f"judge_{refused}":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        JudgePool(Silent, 4)
    assert_all_end()


@pytest.mark.parametrize("error", [InputError("the export is damaged"), KeyboardInterrupt()])
def test_after_the_first_that_fails_no_other_loads(error: BaseException) -> None:
    tried = []

    def failing() -> NoReturn:
        tried.append(threading.current_thread())
        raise error

    with pytest.raises(type(error)):
        JudgePool(failing, 4)
    assert_all_end()
    assert len(tried) == 1
