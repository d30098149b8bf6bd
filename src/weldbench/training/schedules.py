"""How the learning rate changes over a training, as a factor of its highest value."""

import math

from weldbench.config.models import Model

_LOWEST = 1e-3


def factor(settings: Model, step: int, steps: int) -> float:
    """Return the learning rate of a step, 0 to `steps` - 1, in parts of `learning_rate`.

    - constant: 1 after a linear warm-up.
    - cosine: linear warm-up, then half a cosine down to 0 (Loshchilov and Hutter 2017, without restarts).
    - one_cycle: half a cosine up, half a cosine down to 0 (Smith and Topin 2018).
    - soft_start: exponential rise from 0.001, a plateau, from `anneal_from` on exponential decay to 0.001, as in
      NVIDIA's TLT.

    Args:
        settings: Of the model: `schedule`, `warmup`, `anneal_from`.
        step: Number of the step.
        steps: Of the whole training.

    Example:
        >>> from weldbench.config.models import FullCon6
        >>> settings = FullCon6(architecture="full_con6", input_size_px=8, epochs=1, learning_rate=0.01, warmup=0.5)
        >>> [round(factor(settings, step, steps=4), 3) for step in range(4)]
        [0.25, 0.75, 0.854, 0.146]
    """
    done = (step + 0.5) / steps
    rising = done < settings.warmup
    risen = done / settings.warmup if rising else 1.0
    match settings.schedule:
        case "constant":
            return risen
        case "cosine":
            return risen if rising else _half_cosine(_share(done, settings.warmup, 1.0))
        case "one_cycle":
            return 1.0 - _half_cosine(risen) if rising else _half_cosine(_share(done, settings.warmup, 1.0))
        case "soft_start":
            if rising:
                return math.pow(_LOWEST, 1.0 - risen)
            start = max(settings.anneal_from, settings.warmup)
            return 1.0 if done < start else math.pow(_LOWEST, _share(done, start, 1.0))


def _share(value: float, start: float, end: float) -> float:
    return (value - start) / (end - start)


def _half_cosine(share: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * share))
