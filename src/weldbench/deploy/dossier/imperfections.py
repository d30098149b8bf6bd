"""What ISO 6520-1 calls a class, where a name of it fits.

The standard is ISO 6520-1:2007, "Welding and allied processes. Classification of geometric imperfections in metallic
materials. Part 1: Fusion welding". A class is told by its name alone: the data does not say what its labeler meant.
"""

from collections.abc import Sequence

from weldbench.deploy.dossier.text import Section, bullets, plain, table

STANDARD = "ISO 6520-1:2007"
_STATE = "none: a state of the process, not an imperfection"
_NOT_MAPPED = "not mapped"

# Class -> reference number and name of the imperfection.
_IMPERFECTIONS = {
    "burn_through": "510 burn through",
    "lack_of_fusion": "401 lack of fusion",
    "incomplete_fusion": "401 lack of fusion",
    "lack_of_penetration": "402 lack of penetration (incomplete penetration)",
    "incomplete_penetration": "402 lack of penetration (incomplete penetration)",
    "linear_misalignment": "507 linear misalignment",
}
_OTHERS = {
    "misalignment": (
        "507 linear misalignment",
        "where plates are offset in height; an angle between them is 508, and the name does not say which is meant",
    ),
    "contamination": (
        "none that fits",
        "what follows from it has names: pores (201) and solid inclusions (300); which occurred, a label does not say",
    ),
    "lack_of_shielding_gas": (_STATE, "what may follow has names, such as pores (201)"),
    "high_travel_speed": (_STATE, "what may follow has names, such as lack of fusion (401) or undercut (501)"),
}


def imperfection_of(name: str, good_class: str | None) -> tuple[str, str]:
    """Return what ISO 6520-1 calls a class, and a remark, which may be empty.

    Example:
        >>> imperfection_of("Lack of fusion", good_class="good_weld")
        ('401 lack of fusion', '')
        >>> imperfection_of("spooling", good_class=None)[0]
        'not mapped'
    """
    if name == good_class:
        return "none: the weld is good", ""
    key = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
    if key in _IMPERFECTIONS:
        return _IMPERFECTIONS[key], ""
    return _OTHERS.get(key, (_NOT_MAPPED, "this table knows no class of that name: map it yourself"))


def imperfections(classes: Sequence[str], good_class: str | None) -> Section:
    """Return the section that maps classes to the standard."""
    found = {name: imperfection_of(name, good_class) for name in classes}
    remarks = [f"{plain(name)}: {remark}." for name, (_, remark) in found.items() if remark]
    return Section(
        "The classes, by ISO 6520-1",
        "1",
        [
            f"Classes are mapped to {STANDARD} by their names alone. A camera shows the weld while it is made; whether "
            "the finished weld has an imperfection, and whether ISO 5817 or ISO 10042 allows its size, it does not "
            "measure.",
            table(
                "What the standard calls each class",
                ["class", "imperfection"],
                [[name, fits] for name, (fits, _) in found.items()],
            ),
            *([bullets(remarks)] if remarks else []),
        ],
    )
