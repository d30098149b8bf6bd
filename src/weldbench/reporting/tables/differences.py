"""In what two results on one architecture still differ: a published one and ours, or two of ours, by their records."""

from collections.abc import Mapping
from typing import Any

from weldbench.evaluation.published import FrameCount, Result

STARTS = {
    "scratch": "random weights",
    "simulated": "simulated frames",
    "imagenet": "ImageNet",
    "pretrained": "other data, not published which",
}
# The settings that make another network or another training, by their names in training.json.
_SETTINGS = {
    "hidden": "hidden layers",
    "channels": "channels",
    "kernel_size": "kernel size",
    "pool_size": "pool size",
    "input_size_px": "input size in px",
    "freeze": "frozen layers",
    "epochs": "epochs",
    "batch_size": "batch size",
    "optimizer": "optimizer",
    "learning_rate": "learning rate",
    "momentum": "momentum",
    "weight_decay": "weight decay",
    "schedule": "schedule",
    "loss": "loss",
    "augment": "augmentation",
}


def differences(
    result: Result, dataset: str, strategy: str, settings: Mapping[str, Any], frames: Mapping[str, int]
) -> list[str]:
    """List what a published result and our counterpart do not share.

    Args:
        result: What is published.
        dataset: Ours.
        strategy: Our `split.strategy`.
        settings: Those that the counterpart was trained with, from training.json.
        frames: Our frames: `train`, those that the counterpart learned from, and `test`.

    Returns:
        Each difference with the published value first, and last what is not published.
    """
    strategies = {"official": "published", "random": "random"}
    ours: dict[str, str | None] = {"data": dataset, "split": strategy}
    ours |= {f"{split} frames": f"{count:,}" for split, count in frames.items()}
    theirs = {
        "data": result.dataset,
        "split": strategies[result.split] if result.split else None,
        "train frames": _count(result.train),
        "test frames": _count(result.test),
    }
    if "init" in settings:
        ours["starting weights"] = STARTS.get(settings["init"], settings["init"])
        theirs["starting weights"] = STARTS[result.init] if result.init else None
    for key, name in _SETTINGS.items():
        if key in settings:
            ours[name], theirs[name] = _text(settings[key]), _text(result.settings.get(key))
    different = [
        f"{name}: {value}, ours {ours[name]}"
        for name, value in theirs.items()
        if value is not None and value.removesuffix(" (assumed)") != ours[name]
    ]
    if result.chosen_on_test:
        different.append("chosen by its score on test, ours not")
    unknown = [name for name, value in theirs.items() if value is None]
    return [*different, *([f"not published: {', '.join(unknown)}"] if unknown else [])]


def other_settings(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """List the settings in which two models differ besides the name and the starting weights, by training.json.

    Args:
        one: Those of the first model; those of the augmentation are in it under `augment`.
        other: Those of the second.

    Returns:
        Each with both values, that of the first model first.

    Example:
        >>> other_settings({"init": "imagenet", "learning_rate": 0.001}, {"init": "scratch", "learning_rate": 0.01})
        ['learning rate 0.001 and 0.01']
    """
    ours, theirs = _flat(one), _flat(other)
    keys = [key for key in {**ours, **theirs} if key not in {"name", "architecture", "init"}]
    return [
        f"{_SETTINGS.get(key, key.replace('_', ' '))} {_told(ours, key)} and {_told(theirs, key)}"
        for key in keys
        if _told(ours, key) != _told(theirs, key)
    ]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    augment = {f"{_SETTINGS['augment']} {key}": value for key, value in settings.get("augment", {}).items()}
    return {key: value for key, value in settings.items() if key != "augment"} | augment


def _told(settings: Mapping[str, Any], key: str) -> str:
    return (_text(settings[key]) or "none") if key in settings else "not recorded"


def _count(frames: FrameCount | None) -> str | None:
    if frames is None:
        return None
    return f"{frames.frames:,}" + (" (assumed)" if frames.mark == "A" else "")


def _text(value: Any) -> str | None:
    return None if value is None else f"{value:g}" if isinstance(value, float) else str(value)
