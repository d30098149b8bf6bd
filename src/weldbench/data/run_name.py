"""What a run's name tells, such as `160708-140302-50mmLens 200A w.s.16cm.m g.f.15L.m 5mm Plate`."""

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
# Year, month, day, hour, minute, second: 160708-140302, 2016-07-08_14-03-02, 20160708T140302.
_TIME = re.compile(
    r"(?<!\d)((?:19|20)?\d\d)([-_.]?)(\d\d)\2(\d\d)(?:[-_ T]|_-_| - | at )?(\d\d)([-_.:]?)(\d\d)\6(\d\d)(?!\d)"
)


def recording_time(run: str) -> tuple[str, datetime] | None:
    """Return the time of recording that stands in a run's name, to the second: as it is written, and as the time.

    A year of two digits is one of 2000 to 2068 or 1969 to 1999, as in POSIX. None if there is none.
    """
    for found in _TIME.finditer(run):
        year, _, month, day, hour, minute, second = found.group(1, 2, 3, 4, 5, 7, 8)
        try:
            time = datetime.strptime(year[-2:] + month + day + hour + minute + second, "%y%m%d%H%M%S")
            return found[0], time.replace(year=int(year)) if len(year) == 4 else time
        except ValueError:
            continue
    return None


def process_facts(run: str) -> dict[str, float | str]:
    """Return the facts that stand in a run's name; units are in the keys, absent facts are left out.

    `recorded` is the camera's local time in ISO 8601. `travel_speed_level` is the setting of the welding
    tractor, of which no speed is known.
    """
    facts: dict[str, float | str] = {}
    if recorded := recording_time(run):
        facts["recorded"] = recorded[1].isoformat()
    for fact, pattern in _PATTERNS.items():
        found = pattern.search(run)
        if found:
            facts[fact] = float(found[1])
    return facts
