"""The drift check of an export: what a weld is like in training, as each of its graphs sees it."""

import sys
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from weldbench.data.dataset import Dataset
from weldbench.data.split import SplitRows
from weldbench.deploy.bundle import DRIFT, INT8_DRIFT, Bundle
from weldbench.deploy.drift_fit import fit_reference, spread_frames
from weldbench.deploy.learned import outputs_of_stored
from weldbench.deploy.runtimes import Session


def with_drift(
    bundle: Bundle, sessions: Iterable[Session], dataset: Dataset, train: SplitRows, valid: SplitRows
) -> Bundle:
    """Fit the check to frames of every run of train and valid, and write it beside the graphs.

    Args:
        bundle: The export.
        sessions: Of its graphs; of several runtimes the first of each graph counts.
        dataset: Holds the frames as ingest stored them.
        train: The split.
        valid: The split.

    Returns:
        The export with its check, or with a sentence on why it has none.
    """
    rows = np.unique(np.concatenate([train.rows, valid.rows]))
    runs = dataset.manifest["run"].to_numpy(dtype=str)
    rows = rows[spread_frames(runs[rows])]
    of_train, has_good = np.isin(rows, train.rows), dataset.good_class is not None
    by_graph = {session.is_int8: session for session in reversed(list(sessions))}
    for is_int8, session in sorted(by_graph.items()):
        said = outputs_of_stored(session, dataset, rows)
        with threadpool_limits(limits=1):  # another count would change the last bits
            reference, told = fit_reference(said, runs[rows], of_train, len(dataset.classes), has_good)
        if reference is None:
            print(f"export {bundle.model}: {told}", file=sys.stderr)
            return replace(bundle, drift=told)
        path = bundle.folder / (INT8_DRIFT if is_int8 else DRIFT)
        reference.save(path)
        bundle = replace(bundle, int8_drift_path=path) if is_int8 else replace(bundle, drift_path=path, drift=told)
    return bundle
