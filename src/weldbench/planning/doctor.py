"""What may stop or spoil a run on this machine, looked at before it starts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from weldbench.errors import InputError
from weldbench.planning import downloads, machine, project, software
from weldbench.planning.finding import Finding

if TYPE_CHECKING:
    from weldbench.config import Params

Check = Callable[[], Finding | Iterator[Finding]]
_INSTALL = "pip install --requirement requirements.lock"


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other; whatever is missing or broken, this does not raise."""
    settings: list[Params] = []

    def parameters() -> Finding:
        from weldbench.config import load_params

        params = load_params()
        settings.append(params.for_dataset(params.dataset))
        return Finding("params.yaml", f"valid; dataset {params.dataset}")

    yield from _looked_at("python", software.python_version)
    yield from _looked_at("packages", software.packages)
    yield from _looked_at("checkout", software.checkout)
    yield from _looked_at("commands", software.commands)
    yield from _looked_at("params.yaml", parameters)
    params = settings[0] if settings else None
    yield from _looked_at("processor", machine.processor)
    yield from _looked_at("gpu", lambda: machine.gpu(params))
    yield from _looked_at("memory", lambda: machine.memory(_needs(params)[1]))
    yield from _looked_at("/dev/shm", lambda: machine.shared_memory(params))
    yield from _looked_at("temporary folder", machine.temporary_folder)
    yield from _looked_at("free disk", lambda: machine.disk(_needs(params)[0], _present_bytes(params)))
    yield from _looked_at("kaggle token", lambda: downloads.kaggle(params))
    yield from _looked_at("weights", lambda: downloads.weights(params))
    yield from _looked_at("git", project.git)
    yield from _looked_at("dvc", project.dvc)
    yield from _looked_at("locks", project.locks)


def _looked_at(name: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds; a check that cannot do its work is a finding too."""
    try:
        found = check()
        yield from [found] if isinstance(found, Finding) else found
    except InputError as error:
        yield Finding(name, str(error), "failure", "the edit that it names; `weldbench check` looks again")
    except ModuleNotFoundError as error:
        yield Finding(name, f"cannot be told without the package {error.name}", "failure", _INSTALL)
    except Exception as error:  # an odd machine is what the doctor is for
        yield Finding(name, f"cannot be told: {type(error).__name__}: {error}", "warning")


def _needs(params: "Params | None") -> tuple[int | None, int | None]:
    """Return the bytes of disk and of memory that a run takes."""
    if params is None:
        return None, None
    from weldbench.planning.dataset_size import dataset_size
    from weldbench.planning.needs import disk_bytes, memory_bytes

    size = dataset_size(params, Path("data", params.dataset))
    return disk_bytes(params, size), memory_bytes(params, size)


def _present_bytes(params: "Params | None") -> int:
    """Size of what is here of the run: its data, its networks, and DVC's copies."""
    if params is None:
        return 0
    folders = [Path("data", params.dataset), Path("models", params.dataset), Path(".dvc/cache")]
    # A download and its archive are one file with two names.
    found = {
        (status.st_dev, status.st_ino): status.st_size
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and (status := path.stat())
    }
    return sum(found.values())
