"""Sentences of the report, each computed from a table of the comparison."""

import pandas as pd

from weldbench.reporting.tables.table import format_p, percent
from weldbench.runtime.text import counted


def about_leader(summary: pd.DataFrame, pairs: pd.DataFrame, dataset: str) -> str:
    """Name the best model by macro F1 on all test frames, how good it is and what it is better than."""
    everywhere = _on_all_frames(summary)
    best = everywhere.iloc[everywhere["macro_f1"].argmax()]
    scope = f"On the {best.test_frames:,} test frames of {dataset}, from {counted(best.test_runs, 'run')},"
    if len(everywhere) == 1:
        return f"{scope} **{best.model}**, the only model, has a macro F1 of {_with_interval(best)}."
    beaten, tied = _verdicts(pairs, best.model, 1 - best.confidence)
    sentence = f"{scope} **{best.model}** has the highest macro F1: {_with_interval(best)}."
    if beaten:
        p = format_p(max(beaten.values()))
        p = p if len(beaten) == 1 or p.startswith("<") else f"at most {p}"
        told = f"p {p} over runs{'' if best.seeds == 1 else ' and seeds'}, Holm's correction"
        sentence += f" It is significantly better than {_listed(list(beaten))} ({told})."
    if tied:
        sentence += f" It is not significantly better than {_listed(tied)}."
    return sentence


def about_pretraining(pretraining: pd.DataFrame) -> str:
    """Say what other starting weights changed, of every two models of one architecture; empty if there are none."""
    told = []
    for (model, reference), rows in pretraining.groupby(["model", "reference"], sort=False):
        macro = rows[rows["class"] == "macro average"].iloc[0]
        level = 1 - macro["confidence"]
        told.append(
            f"Starting from {macro['starts_from']}, {model} has a macro F1 {_higher(macro['difference'])} than "
            f"{reference}, the same architecture from {macro['reference_starts_from']} "
            f"({_significance(macro, level)}).{_classes_that_changed(rows, level)}"
        )
    return " ".join(told)


def about_data(distribution: pd.DataFrame, dataset: str) -> str:
    """Count the frames and runs that were used, and say how uneven the classes of test are."""
    used = distribution[distribution["set"].str.startswith("as used")]
    test = used[(used["split"] == "test") & (used["class"] != "total")].groupby("class", sort=False)["frames"].sum()
    absent, present = list(test[test == 0].index), test[test > 0]
    sentence = f"Used of {dataset}{_splits(used[used['class'] == 'total'])}"
    if len(present) > 1:
        sentence += " " + _imbalance(present)
    if absent:
        sentence += f" Test has no frames of {_listed(absent)}, and nothing can be said about them."
    return sentence


def about_published(published: pd.DataFrame, dataset: str) -> str:
    """Say what is published on such data and whether it can be compared."""
    if published.empty or "dataset" not in published:
        return "F1 of each class, and the macro average. No results are known that were published on these classes."
    datasets = list(dict.fromkeys(published["dataset"]))
    if not any(name == "macro_f1" or str(name).startswith("f1_") for name in published):
        return (
            f"F1 of each class, and the macro average. The results published on {_listed(datasets)} quote no F1; they "
            "stand in the table of published results."
        )
    quoted = f"F1 of each class, and the macro average. Beside them stand the results published on {_listed(datasets)}"
    if dataset not in datasets:
        return f"{quoted}, which are about other data: they cannot be compared with those on {dataset}."
    return f"{quoted}; the notes say what is assumed about them."


def about_pairs(pairs: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Count the pairs of models that differ significantly."""
    if pairs.empty:
        return "One model: there is nothing to compare."
    best = _on_all_frames(summary).iloc[0]
    told = int((pairs["p_runs"] < 1 - best.confidence).sum())
    untested = pairs.loc[pairs["p_runs"].isna(), "note"].value_counts()
    level = f"a level of {1 - best.confidence:.3g}"
    sentence = f"Of {counted(len(pairs), 'pair')} of models, {told} differ significantly at {level}."
    sentence += "".join(f" {count} cannot be tested ({reason})." for reason, count in untested.items())
    seeds = "one seed, so that the luck of a training is not counted" if best.seeds == 1 else f"{best.seeds} seeds"
    return f"{sentence} The tests resample {counted(best.test_runs, 'test run')}, and rest on {seeds}."


def about_weakness(per_class: pd.DataFrame) -> str:
    """Name each model's weakest class, and the classes that it never predicts."""
    classes = per_class[~per_class["class"].isin(["macro average", "weighted average"]) & (per_class["frames"] > 0)]
    sentences = []
    for model, rows in classes.groupby("model", sort=False):
        weakest = rows.iloc[rows["f1"].argmin()]
        sentences.append(
            f"{model} is weakest on {weakest['class']}: F1 {weakest['f1']:.3f}, recall {weakest['recall']:.3f}."
        )
        never = rows[rows["note"] == "never predicted"]["class"].tolist()
        at_times = rows[rows["note"].fillna("").str.startswith("never predicted in")]["class"].tolist()
        sentences += [f"It never predicts {_listed(never)}."] if never else []
        sentences += [f"With some seeds it never predicts {_listed(at_times)}."] if at_times else []
    return " ".join(sentences)


def about_operating_points(factory: pd.DataFrame) -> str:
    """Say how many defects escape at each accepted rate of false rejects, with the best model for each."""
    if factory.empty:
        return "The data has no class of good welds, so no defect can be taken for one."
    if "escape_rate" not in factory or factory["escape_rate"].isna().all():
        return "No threshold can be chosen: valid lacks good frames, or test lacks good or defective ones."
    found = []
    for _, rows in factory.groupby("accepted_false_rejects", sort=False):
        best = rows.iloc[rows["escape_rate"].argmin()]
        found.append(
            f"{percent(best['accepted_false_rejects'])}: {best['model']}, with which {percent(best['escape_rate'])} "
            f"of the defective test frames pass and {percent(best['test_false_rejects'])} of the good ones are rejected"
        )
    told = f"The fewest defects escape, by the share of good frames of valid that may be rejected: {'; '.join(found)}."
    # Rows without a threshold say nothing of it.
    uncalibrated = "calibrated" in factory and (factory["calibrated"] == False).any()  # noqa: E712
    return told + (" These thresholds are uncalibrated: valid holds too little to choose them." if uncalibrated else "")


def about_vote(temporal_vote: pd.DataFrame) -> str:
    """Say what the longest majority vote changes for the best model."""
    longest = temporal_vote[temporal_vote["window_frames"] == temporal_vote["window_frames"].max()]
    best = longest.iloc[longest["macro_f1"].argmax()]
    alone = temporal_vote[(temporal_vote["window_frames"] == 1) & (temporal_vote["model"] == best["model"])]
    instead = f" instead of {alone['macro_f1'].iloc[0]:.3f}" if len(alone) else ""
    return (
        f"With a majority vote over the last {best['window_frames']:,} frames, the macro F1 of {best['model']} is "
        f"{best['macro_f1']:.3f}{instead}; even flawless predictions would then answer "
        f"{counted(int(best['delay_frames']), 'frame')} late."
    )


def about_start(cost: pd.DataFrame) -> str:
    """Say from what weights the trainings of each model started."""
    models = cost.groupby("starts_from", sort=False)["model"].agg(list)
    (start, first), *others = models.items()
    return f"{_listed(first)} started from {start}" + "".join(
        f", {_listed(names)} from {other}" for other, names in others
    )


_CHOICES = {
    "valid": "The weights of {} were chosen by their score on valid.",
    "last": "The last weights of {} were kept.",
    "cross-validation": "The last layer of {} was chosen by cross-validation over the runs of train.",
    "default": "The last layer of {} was fitted with default settings.",
}


def about_choice(cost: pd.DataFrame) -> str:
    """Say by what the weights of each model were chosen."""
    models = cost.groupby("selected_by", sort=False)["model"].agg(list)
    return " ".join(_CHOICES[str(by)].format(_listed(names)) for by, names in models.items())


def about_frames(cost: pd.DataFrame) -> str:
    """Say which frames of train the models learned from, and whether all learned from the same ones."""
    models = cost.groupby("learned_from", sort=False)["model"].agg(list)
    if len(models) == 1:
        return f"{'All learned from the same' if len(cost) > 1 else 'It learned from these'} frames: {models.index[0]}."
    told = "; ".join(f"{_listed(names)} from {frames}" for frames, names in models.items())
    return f"Not all models learned from the same frames: {told}."


def about_cost(cost: pd.DataFrame) -> str:
    """Compare the cheapest and the dearest training, and say whose starting weights took a training of their own."""
    cheap, dear = (cost.iloc[place] for place in (cost["training_seconds"].argmin(), cost["training_seconds"].argmax()))
    learned = cost.loc[cost["starts_from"] != "random weights", "model"].tolist()
    left_out = f" Not counted: the making of the weights that {_listed(learned)} started from." if learned else ""
    if len(cost) == 1:
        took = f"One training of {cheap['model']} took {cheap['training_seconds']:,.1f} seconds on {cheap['device']}."
        return took + left_out
    same = cheap["device"] == dear["device"]
    where = dear["device"] if same else "different devices, whose times are not comparable"
    return (
        f"One training of {cheap['model']} took {cheap['training_seconds']:,.1f} seconds, one of {dear['model']} "
        f"{dear['training_seconds']:,.1f} seconds ({dear['training_seconds'] / cheap['training_seconds']:.1f} times as "
        f"long), on {where}. To judge one frame they take {cheap['inference_ms_per_frame']:.3g} and "
        f"{dear['inference_ms_per_frame']:.3g} ms.{left_out}"
    )


def _splits(totals: pd.DataFrame) -> str:
    folds = totals["set"].nunique()
    splits = [
        f"{_span(sets['frames'], 'frame')} of {_span(sets['runs'], 'run')} in {split}"
        for split, sets in totals.groupby("split", sort=False)
    ]
    if folds == 1:
        return f": {_listed(splits)}."
    # Folds share the runs of train and valid, but no run is tested twice.
    tested = totals.loc[totals["split"] == "test", ["frames", "runs"]].sum()
    together = f"{counted(tested.frames, 'frame')} of {counted(tested.runs, 'run')}"
    return f" in each of {folds} folds: {_listed(splits)}. Together the folds test {together}."


def _imbalance(frames: pd.Series) -> str:
    if frames.max() == frames.min():
        return f"In test, every class has {frames.max():,} frames."
    ratio = frames.max() / frames.min()
    return f"In test, {frames.idxmax()} has {ratio:.3g} times the frames of {frames.idxmin()}."


def _on_all_frames(summary: pd.DataFrame) -> pd.DataFrame:
    first: str = summary["test_set"].iloc[0]
    return summary[summary["test_set"] == first]


def _verdicts(pairs: pd.DataFrame, model: str, level: float) -> tuple[dict[str, float], list[str]]:
    """Return the models that one is better than, each with its p, and those of which that cannot be said."""
    beaten: dict[str, float] = {}
    tied: list[str] = []
    for first, second, p_runs in zip(pairs["first"], pairs["second"], pairs["p_runs"], strict=True):
        if model in (first, second):
            other = second if first == model else first
            if p_runs < level:
                beaten[other] = p_runs
            else:
                tied.append(other)
    return beaten, tied


def _higher(difference: float) -> str:
    return f"{abs(difference):.3f} {'lower' if difference < 0 else 'higher'}"


def _significance(row: pd.Series, level: float) -> str:
    if pd.isna(row["low"]):
        return f"{row['note']}: no interval, no test possible"
    interval = f"{100 * row['confidence']:g} % interval {row['low']:+.3f} to {row['high']:+.3f}"
    if pd.isna(row["p"]):
        return f"{interval}, too narrow, for {row['note']}: no test possible"
    return f"{interval}, p {format_p(row['p'])}: {'significant' if row['p'] < level else 'not significant'}"


def _classes_that_changed(rows: pd.DataFrame, level: float) -> str:
    classes = rows[rows["class"] != "macro average"]
    surely = classes[classes["p"] < level]
    if surely.empty:
        return " In no single class is the difference significant."
    listed = _listed([f"{row['class']} ({row['difference']:+.3f})" for _, row in surely.iterrows()])
    return f" F1 differs significantly in {listed}."


def _with_interval(row: pd.Series) -> str:
    over = f"mean over {row.seeds} seeds" if row.seeds > 1 else "one seed"
    if pd.isna(row.macro_f1_low):
        return f"{row.macro_f1:.3f} ({row.note}; {over})"
    interval = f"{100 * row.confidence:g} % interval {row.macro_f1_low:.3f} to {row.macro_f1_high:.3f}"
    narrow = f", {row.note}" if isinstance(row.note, str) and row.note else ""
    return f"{row.macro_f1:.3f} ({interval}{narrow}; {over})"


def _span(numbers: pd.Series, what: str) -> str:
    low, high = numbers.min(), numbers.max()
    return counted(low, what) if low == high else f"{low:,} to {high:,} {what}s"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
