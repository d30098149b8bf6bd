"""A clone that pulls from a remote across the network has nothing to do: OpenSSH's server, on this machine."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from workflow.conftest import commit, edit_params, run

# It starts itself anew for each login, by the path it was started with.
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SSHD is None, reason="OpenSSH's server is not installed (Debian: openssh-server)"),
]

# Frames and splits are enough to push and pull; no training for that.
SPLIT = "data/weldsim/split/fold0/split.csv"


@pytest.fixture
def ssh_port(tmp_path: Path) -> Iterator[int]:
    """Serve this user by ssh, with keys made for it, on a free port of the loopback."""
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": tmp_path / "host", "PidFile": "none", "UsePAM": "no",
        "AuthorizedKeysFile": tmp_path / "user.pub", "StrictModes": "no", "Subsystem": "sftp internal-sftp",
    }  # fmt: skip
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # in which root's server locks its sessions up
    (tmp_path / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    server = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=(tmp_path / "sshd.log").open("w")
    )
    try:
        wait_for(port, server, tmp_path / "sshd.log")
        yield port
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"sshd does not answer: {log.read_text()}")


def test_clone_and_pull_by_ssh_leave_nothing_to_do(make_project, ssh_port: int, tmp_path: Path) -> None:
    project, clone = make_project(tmp_path), tmp_path / "clone"
    run(project, "snakemake", "--quiet", "all", "--cores", "2", SPLIT)
    address = f"ssh://{getpass.getuser()}@127.0.0.1:{ssh_port}{tmp_path}/remote"
    run(project, "dvc", "remote", "add", "--default", "storage", address)
    run(project, "dvc", "remote", "modify", "storage", "keyfile", str(tmp_path / "user"))
    commit(project, "frames and a split")
    run(project, "dvc", "push", "--quiet")
    assert any((tmp_path / "remote/files/md5").iterdir())

    run(tmp_path, "git", "clone", "--quiet", str(project), str(clone))
    assert not (clone / "data").exists()
    run(clone, "dvc", "pull", "--quiet", "--with-deps", "split@0")
    run(clone, "weldbench", "sync")
    assert (clone / SPLIT).read_bytes() == (project / SPLIT).read_bytes()
    plan = ("snakemake", "--cores", "2", "--dry-run", "--quiet", "rules", "--", SPLIT)
    assert "Nothing to be done" in run(clone, *plan)

    # What was pulled still belongs to its parameters.
    edit_params(clone, lambda params: params["split"].update(seed=7))
    assert "Nothing to be done" not in run(clone, *plan)
