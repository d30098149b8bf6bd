"""Annex IV of the EU AI Act: what of it this dossier helps to answer, and what a factory must write itself.

Regulation (EU) 2024/1689, Annex IV, "Technical documentation referred to in Article 11(1)".
Points are told in our words.
"""

import re
from collections.abc import Sequence

from weldbench.deploy.dossier.text import Section, table

# Point -> what it asks for, and what of that nobody but the factory can say.
_POINTS = {
    "1": (
        "general description",
        "provider and product; version and how it relates to earlier ones; camera, PC and line that it works with; "
        "instructions for use",
    ),
    "2 (a)": ("methods and steps of development", "who did them, and by whose order"),
    "2 (b)": ("design: logic, choices, trade-offs", "why these thresholds are right for the product"),
    "2 (c)": ("architecture and computing resources", "how it is built into the line"),
    "2 (d)": (
        "data: origin, scope, labels, cleaning",
        "who recorded and labeled the welds, by what rule, with what right",
    ),
    "2 (e)": ("human oversight", "who watches, and what he may do"),
    "2 (f)": ("changes planned beforehand", "whether the model is trained again, when, and who releases it"),
    "2 (g)": ("validation and testing", "tests on the line, dated and signed"),
    "2 (h)": ("cybersecurity", "all of it: network, access, updates"),
    "3": ("monitoring, functioning, control; limits", "foreseeable misuse, and risks to people"),
    "4": ("why the measures fit", "what an escaped defect and a false reject cost"),
    "5": ("risk management", "all of it; the promises and their conditions are one input"),
    "6": ("changes through the lifecycle", "the record of changes; each export tells what it was made from"),
    "7": ("harmonized standards", "all of it; none is claimed here"),
    "8": ("EU declaration of conformity", "all of it; none is made here"),
    "9": ("monitoring after placing on the market", "the plan for the line; the drift check is one part of it"),
}


def annex_iv(sections: Sequence[Section]) -> Section:
    """Return the section that says which headings serve which point, and what is left to the factory."""
    rows = [
        [point, asked, "; ".join(one.title for one in sections if point in _points(one)) or "nothing", left]
        for point, (asked, left) in _POINTS.items()
    ]
    return Section(
        "What a factory must write itself",
        "",
        [
            "Headings name points of Annex IV of the EU AI Act (Regulation (EU) 2024/1689). That annex binds high-risk "
            "systems. Whether an inspection of welds is one depends on its use (Article 6 with Annexes I and III), as "
            "where it is a safety component of a product that a third party has to assess. This page decides nothing "
            "of that and claims no conformity with any law or standard.",
            table(
                "Points of Annex IV", ["point", "what it asks for", "sections that help", "left to the factory"], rows
            ),
        ],
    )


def _points(section: Section) -> list[str]:
    return re.findall(r"\d(?: \([a-z]\))?", section.points)
