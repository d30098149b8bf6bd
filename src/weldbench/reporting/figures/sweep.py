"""Macro F1 on valid over the learning rate, for every depth and training length."""

import pandas as pd
from matplotlib.figure import Figure


def sweep_figure(points: pd.DataFrame) -> Figure:
    """Draw a line per model and training length; `points` as `reporting.tables.sweep.sweep_table` returns them."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    lengths = sorted(points["epochs"].unique())
    for color, (model, of_model) in enumerate(points.groupby("model")):
        for epochs, line in of_model.sort_values("learning_rate").groupby("epochs"):
            style = ["-", "--", ":", "-."][lengths.index(epochs) % 4]
            label = f"{model}, {epochs} epochs"
            axes.plot(line["learning_rate"], line["valid_macro_f1"], style, color=f"C{color}", marker="o", label=label)
    axes.set(xscale="log", xlabel="learning rate", ylabel="macro F1 on valid")
    rates = sorted(points["learning_rate"].unique())
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates], minor=False)
    axes.minorticks_off()
    figure.legend(fontsize="small", loc="outside right upper", handlelength=3.5)
    return figure
