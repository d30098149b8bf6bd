"""One line about how long a run will take, for an engine that starts: nothing is measured, and torch is not loaded."""

import shutil

from weldbench.config import Params
from weldbench.errors import InputError
from weldbench.planning.calibration import Calibration, NotMeasuredError
from weldbench.planning.plan import duration, make_plan
from weldbench.runtime.text import counted


def summary(params: Params, cores: int) -> str:
    """Say in one line how long the whole run of params.yaml takes, from the measurements of an earlier plan.

    Args:
        params: As read.
        cores: That the engine has.
    """
    wanted = params.hardware.device
    device = ("cuda" if shutil.which("nvidia-smi") else "cpu") if wanted == "auto" else wanted
    try:
        plan = make_plan(params.for_dataset(params.dataset), Calibration(measures=False), cores, device)
    except NotMeasuredError:
        return f"plan: how long {params.dataset} takes here is not measured yet; `weldbench plan` does, in seconds"
    except (InputError, OSError) as error:
        return f"plan: how long {params.dataset} takes here cannot be told: {error}"
    took = f"about {duration(plan.seconds)} on {counted(cores, 'core')}"
    return f"plan: a whole run of {params.dataset} takes {took}; `weldbench plan` shows its stages"
