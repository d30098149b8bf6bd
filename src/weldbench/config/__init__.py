"""Every setting of params.yaml as a checked, frozen pydantic model."""

from weldbench.config.params import Params, load_params

__all__ = ["Params", "load_params"]
