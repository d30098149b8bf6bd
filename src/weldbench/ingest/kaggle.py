"""Downloading a dataset's zip with Kaggle's own client."""

import contextlib
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from weldbench.errors import InputError
from weldbench.runtime.disk import space_for
from weldbench.runtime.progress import reporting

_MB = 1e6
_POLL_SECONDS = 0.5

_OR_BY_HAND = (
    "Or download the zip in a browser from https://www.kaggle.com/datasets/{handle}, and in params.yaml write "
    "`source: local` and `path:` with the zip in place of the dataset's `source: kaggle`, `handle`, `version`, "
    "`frames` and `counts`."
)
_TOKEN = (
    "Make an API token on https://www.kaggle.com/settings and put it into ~/.kaggle/access_token or the environment "
    "variable KAGGLE_API_TOKEN."
)
_ADVICE = {
    401: _TOKEN,
    403: f"Accept the dataset's license on https://www.kaggle.com/datasets/{{handle}} while logged in. {_TOKEN}",
    404: "Check datasets.<name>.handle and version; a private dataset is only found with its owner's token.",
    429: "Kaggle limits how often one may ask; run this again later.",
}


def download(handle: str, version: int | None, folder: Path) -> Path:
    """Download the zip of a Kaggle dataset into `folder`; a broken download resumes, a finished one is kept.

    Args:
        handle: `owner/name`.
        version: Of the dataset; None means the newest.
        folder: Where the zip and what is left of a broken download lie.

    Returns:
        The zip.

    Raises:
        InputError: No credentials, no permission, no such dataset, no connection, no space, or no zip.
    """
    with _told_as_input_errors(handle, folder):
        api = _client()
        return _download(api, handle, version, folder)


def _client() -> Any:
    # Importing kaggle looks for credentials, and fills stdout with advice if there are none. A public dataset needs
    # none, and a refusal is told by _told_as_input_errors.
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            import kaggle
    except OSError as error:
        raise InputError(
            f"Kaggle's client cannot make the folder of its settings ({error}); set KAGGLE_CONFIG_DIR to another one"
        ) from None
    return kaggle.api


def _download(api: Any, handle: str, version: int | None, folder: Path) -> Path:
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    owner, name = handle.split("/")
    target = folder / (f"{name}-v{version}.zip" if version else f"{name}.zip")
    request = ApiDownloadDatasetRequest()
    request.owner_slug, request.dataset_slug, request.dataset_version_number = owner, name, version
    with api.build_kaggle_client() as client:
        response = client.datasets.dataset_api_client.download_dataset(request)
        if api.download_needed(response, str(target)):
            size_bytes = int(response.headers.get("Content-Length", 0))
            if target.exists() and target.stat().st_nlink > 1:
                target.unlink()  # a finished one, which is the archive too: written over, it would change that unseen
            present_bytes = target.stat().st_size if target.exists() else 0
            with (
                space_for(folder, size_bytes - present_bytes, f"the download of {handle}"),
                _watching(target, size_bytes, f"download {handle}"),
            ):
                api.download_file(response, str(target), client.http_client(), quiet=True, resume=True)
    if not zipfile.is_zipfile(target):
        target.unlink()
        raise InputError(f"{handle}: what Kaggle sent is no zip; try again later. {_OR_BY_HAND.format(handle=handle)}")
    return target


@contextlib.contextmanager
def _watching(target: Path, size_bytes: int, description: str) -> Iterator[None]:
    """Show how a file grows while the block runs; the client's own bar would fill a log with control characters."""
    done = threading.Event()
    with reporting(description, size_bytes / _MB or None, "MB") as advance:

        def watch() -> None:
            seen = 0
            while True:
                finished = done.wait(_POLL_SECONDS)
                size = target.stat().st_size if target.exists() else 0
                advance((size - seen) / _MB)
                seen = size
                if finished:
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


@contextlib.contextmanager
def _told_as_input_errors(handle: str, folder: Path) -> Iterator[None]:
    """Turn what the client raises, SystemExit for want of credentials too, into one message that says what to do."""
    import requests

    by_hand = _OR_BY_HAND.format(handle=handle)
    try:
        yield
    except SystemExit:
        raise InputError(f"{handle}: Kaggle's client found no usable credentials. {_TOKEN}\n{by_hand}") from None
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        advice = _ADVICE.get(status, "Run this again later; what is downloaded so far is kept.").format(handle=handle)
        raise InputError(f"{handle}: Kaggle answered {status} ({error}). {advice}\n{by_hand}") from None
    except (requests.RequestException, ValueError) as error:
        raise InputError(
            f"{handle}: the connection to Kaggle failed ({error}). Check the network and run this again; what is "
            f"downloaded so far is kept in {folder}.\n{by_hand}"
        ) from None
