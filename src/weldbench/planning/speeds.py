"""The measurements that a plan asks for, each with the settings that it depends on."""

from collections.abc import Callable
from typing import Any

from weldbench.config import Params
from weldbench.config.models import Model
from weldbench.planning.calibration import Calibration


class Speeds:
    """Seconds on this machine, measured where the calibration does not have them.

    Args:
        params: As they hold for the dataset.
        class_count: Of the dataset.
        calibration: What keeps them.
    """

    def __init__(self, params: Params, class_count: int, calibration: Calibration):
        self._params, self._class_count, self._calibration = params, class_count, calibration

    def start_of_training(self) -> float:
        """A process that imports what trains."""
        return self._data("start of a training", "start_seconds", "weldbench.training.train")

    def start_of_ingest(self) -> float:
        """A process that imports what reads an archive."""
        return self._data("start of ingest", "start_seconds", "weldbench.ingest.ingest")

    def decode(self, width_px: int, height_px: int) -> float:
        """One frame, from its PNG to what is stored."""
        return self._data("decode", "decode_seconds", width_px, height_px, self._params.ingest.frame_size_px)

    def simulate(self, width_px: int, height_px: int) -> float:
        """One frame of a simulated dataset."""
        return self._data("simulate", "simulate_seconds", width_px, height_px)

    def render(self, size_px: int) -> float:
        """One frame of pretraining."""
        return self._data("render", "render_seconds", size_px)

    def fingerprint(self) -> float:
        """One stored frame in the audit of the split."""
        return self._data("fingerprint", "fingerprint_seconds", self._params.ingest.frame_size_px)

    def resize(self, input_size_px: int) -> float:
        """One stored frame, to the input of a network."""
        stored_px = self._params.ingest.frame_size_px
        return 0.0 if stored_px == input_size_px else self._data("resize", "resize_seconds", stored_px, input_size_px)

    def step(self, model: Model) -> float:
        """One step of training, the batch prepared too."""
        hardware, augment = self._params.hardware, self._params.train.augment

        def measure() -> float:
            from weldbench.planning.network_speed import step_seconds

            return step_seconds(model, self._class_count, augment, hardware)

        asked = [_form(model), model.batch_size, self._class_count, augment.model_dump(), hardware.model_dump()]
        return self._calibration.seconds(f"step of {model.name}", asked, measure)

    def scored_frame(self, model: Model) -> float:
        """One frame through a network, forward."""
        hardware = self._params.hardware

        def measure() -> float:
            from weldbench.planning.network_speed import scored_frame_seconds

            return scored_frame_seconds(model, self._class_count, hardware)

        asked = [_form(model), self._class_count, hardware.model_dump()]
        return self._calibration.seconds(f"scored frame of {model.name}", asked, measure)

    def _data(self, what: str, function: str, *arguments: Any) -> float:
        def measure() -> float:
            from weldbench.planning import data_speed

            measuring: Callable[..., float] = getattr(data_speed, function)
            return measuring(*arguments)

        return self._calibration.seconds(what, list(arguments), measure)


def _form(model: Model) -> dict[str, Any]:
    """Return what the seconds of a network depend on: its own form, its input and its optimizer, not its length."""
    of_every_model = Model.model_fields.keys() - {"architecture", "input_size_px", "optimizer", "loss", "ema_decay"}
    return model.model_dump(exclude=set(of_every_model))
