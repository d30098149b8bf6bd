"""Process facts that a run's name carries, such as `160708-140302-50mmLens 200A w.s.16cm.m g.f.15L.m 5mm Plate`."""

import contextlib
import re
from datetime import datetime

_NUMBER = r"(\d+(?:\.\d+)?)"
_FACTS = {
    "current_a": rf"(?<![\w.]){_NUMBER}A\b",
    "voltage_v": rf"(?<![\w.]){_NUMBER}V\b",
    "travel_speed_cm_per_min": rf"\bw\.s\.{_NUMBER}cm\.m\b",
    "travel_speed_level": rf"\bw\.s\.lev{_NUMBER}\b",
    "gas_flow_l_per_min": rf"\bg\.f\.{_NUMBER}L\.m\b",
    "plate_mm": rf"(?<![\w.]){_NUMBER}mm ?plate\b",
    "lens_mm": rf"(?<![\w.]){_NUMBER}mm ?lens\b",
}
_PATTERNS = {fact: re.compile(pattern, re.IGNORECASE) for fact, pattern in _FACTS.items()}
_RECORDED = re.compile(r"^(\d{6}-\d{6})(?!\d)")


def process_facts(run: str) -> dict[str, float | str]:
    """Return the facts that stand in a run's name; units are in the keys, absent facts are left out.

    `recorded` is the camera's local time in ISO 8601. `travel_speed_level` is the setting of the welding
    tractor, of which no speed is known.
    """
    facts: dict[str, float | str] = {}
    stamp = _RECORDED.match(run)
    if stamp:
        with contextlib.suppress(ValueError):
            facts["recorded"] = datetime.strptime(stamp[1], "%y%m%d-%H%M%S").isoformat()
    for fact, pattern in _PATTERNS.items():
        found = pattern.search(run)
        if found:
            facts[fact] = float(found[1])
    return facts
