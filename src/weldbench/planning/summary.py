"""How long a run will take, for an engine that starts: nothing is measured, and torch is not loaded."""

import shutil

from weldbench.config import Params
from weldbench.errors import InputError
from weldbench.planning.calibration import Calibration, NotMeasuredError
from weldbench.planning.plan import Plan, duration, make_plan
from weldbench.runtime.text import counted


def known_plan(params: Params, cores: int) -> Plan:
    """Plan the whole run of params.yaml from the measurements of an earlier plan.

    Args:
        params: As read.
        cores: That the engine has.

    Raises:
        NotMeasuredError: There was none.
        InputError: A setting does not fit its network.
        OSError: A file cannot be read.
    """
    wanted = params.hardware.device
    device = ("cuda" if shutil.which("nvidia-smi") else "cpu") if wanted == "auto" else wanted
    return make_plan(params.for_dataset(params.dataset), Calibration(measures=False), cores, device)


def summary(params: Params, cores: int) -> str:
    """Say in one line how long the whole run of params.yaml takes, from the measurements of an earlier plan.

    Args:
        params: As read.
        cores: That the engine has.
    """
    try:
        plan = known_plan(params, cores)
    except NotMeasuredError:
        return f"plan: how long {params.dataset} takes here is not measured yet; `weldbench plan` measures it"
    except (InputError, OSError) as error:
        return f"plan: how long {params.dataset} takes here cannot be told: {error}"
    took = f"about {duration(plan.seconds)} on {counted(cores, 'core')}"
    return f"plan: a whole run of {params.dataset} takes {took}; `weldbench plan` shows its stages"
