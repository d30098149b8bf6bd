"""The report's sentences on what can be promised about escapes, in a welding engineer's words."""

import pandas as pd

from weldbench.reporting.tables.table import percent


def about_promises(promises: pd.DataFrame, leader: str = "") -> str:
    """Say how few defective welds escape with the best model, what it costs, and what a lower promise takes.

    Args:
        promises: The table of this name.
        leader: The model to speak of where several keep the promise at the same price.
    """
    if promises.empty:
        return "The data has no class of good welds, so no defect can be taken for one."
    if promises["promised_escape"].isna().all():
        return "Test has no defective weld, so nothing can be promised about escapes."
    hopeless = promises["note"].astype(str).str.contains(_HOPELESS, regex=False)
    order = {"hopeless": hopeless, "follows": promises["model"] != leader}
    best = promises.assign(**order).sort_values(["falsely_rejected", *order], kind="stable").iloc[0]
    told = (
        "A defective weld escapes if it is not rejected while its defect lasts. From the "
        f"{_welds(int(best['defective']), 'defective')} of test it follows with {percent(best['confidence'])} "
        f"confidence that of new defective welds like these at most {percent(best['promised_escape'])} escape, "
        "at a threshold that is set for it."
    )
    return " ".join(filter(None, (told, _cost(best), _wanted(best), _changed(best), _CONDITIONS)))


_HOPELESS = "rejecting every weld"
_CONDITIONS = (
    "The promise is about welds like those of test: the same camera, steel and process, and the same defects in the "
    "same proportions. After a change of any of these, record defective welds anew."
)


def _cost(best: pd.Series) -> str:
    vote = f"a vote over {best['vote_frames']} frames" if best["vote_frames"] > 1 else "no vote"
    if best["hopeless"]:
        return (
            "No model keeps this promise but by rejecting every weld, as to each some defective weld looks wholly "
            "good. With more defective welds some may escape, and there may be a threshold."
        )
    how = f"{best['model']}, with {vote} and a threshold of {best['threshold']:.6f} of 1 - P(good),"
    if not best["good"]:
        return f"{how} keeps it. Test has no good weld, so what it costs is not known."
    rejected = f"{int(best['falsely_rejected']):,} of the {_welds(int(best['good']), 'good')} of test"
    span = f"{percent(best['falsely_rejected_low'])} to {percent(best['falsely_rejected_high'])} of all good welds"
    interval = f"{percent(best['confidence'])} interval"
    return f"{how} keeps it and rejects the fewest good welds: {rejected} ({span}, {interval})."


def _changed(best: pd.Series) -> str:
    if "than the other promised" not in str(best["note"]):
        return ""
    return "But the later and the earlier welds of test differ more than by chance, so do not rely on this promise."


def _wanted(best: pd.Series) -> str:
    if best["promised_escape"] <= best["wanted_escape"]:
        return ""
    return (
        f"That at most {percent(best['wanted_escape'])} escape cannot be promised from so few: it takes "
        f"{_welds(int(best['runs_needed']), 'defective')} in test, none of which escapes (`weldbench plan-evidence`)."
    )


def _welds(count: int, kind: str) -> str:
    return f"one {kind} weld" if count == 1 else f"{count:,} {kind} welds"
