"""Takes an author's word on a facet: as sentences in their name, read after the text by the same path as the text.

Nothing is overruled. The checker weighs what the author says as if the text said it, and the report says on whose word
it stands: whoever reads it can take that word or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.report import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.report import Report

STATEMENTS = {
    "data.own": "I gathered and labelled the data myself, and they are published nowhere else.",
    "data.public": "The data are public; somebody else gathered and published them.",
    "problem.own": "Somebody I know asked this question and will act on the answer.",
    "method.own": "The method is new: I designed it myself, and no library has it.",
    "additions.study": "I compared its errors with a baseline, group by group, and wrote down where it fails.",
    "additions.users": "People have used it every week since spring, and I monitor and retrain it.",
}
"""What is read for each key of ``words.CORRECTIONS``. English, for the judge reads it best."""
MESSAGE = "Judged on the author's word: what the author said of it was read as if it stood in the text."


def known(given: Iterable[str]) -> tuple[str, ...]:
    """Keep what can be said, each once and one a facet, in the order of ``STATEMENTS``."""
    asked = set(given)
    chosen: dict[str, str] = {}
    for one in STATEMENTS:
        if one in asked:
            chosen.setdefault(facet_of(one), one)
    return tuple(chosen.values())


def facet_of(correction: str) -> str:
    """Name the facet that a correction is about."""
    return correction.split(".", maxsplit=1)[0]


def applied(text: str, given: Iterable[str]) -> str:
    """Give the text as it is to be judged: itself, then what its author says; positions in it stay as they were."""
    said = " ".join(STATEMENTS[one] for one in given)
    return f"{text}\n\n{said}" if said else text


def marked(report: Report, given: Iterable[str]) -> Report:
    """Say in a report that it stands on its author's word; without any it comes back as it is."""
    if not list(given):
        return report
    notice = Notice(code="authors_word", message=MESSAGE)
    return report.model_copy(update={"warnings": [notice, *report.warnings]})
