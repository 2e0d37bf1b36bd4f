"""Turns the judge's opinion into one of the five verdicts, and says in plain words what decided it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.records import DataStatus, Evidence, Facets, Match, MethodStatus, Reason, Verdict, VerdictLabel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.judge import Opinion
    from app.records import Brief

ORDER: tuple[VerdictLabel, ...] = ("well_worn", "partly_known", "original", "off_topic")
ORIGIN: tuple[DataStatus, ...] = ("known", "own", "unknown", "none")
METHOD: tuple[MethodStatus, ...] = ("known", "novel", "none")

MIN_WORDS = 3
"""Below this a text says nothing to judge unless it names a known thing ("titanic knn" does)."""
MIXED_BELOW = 1 / 3
"""Largest probability of a label under which the judge has no opinion: a quarter is chance among four."""
FOREIGN_BELOW = 0.5
"""The same for a text in another language than English that names nothing known: the vectors read English."""
SURELY_BELOW = 0.1
"""Flag's probability below which a part of a text is surely original: of labelled texts there, 1 in 100 is worn."""
MIN_PULL = 0.15
"""Log-odds below which a side of the text isn't worth a line."""
MAX_REASONS = 6

_WHY: dict[str, tuple[str, str]] = {
    "known data": (
        "It rests on data that those who hire have seen many times",
        "No well-known dataset carries the results",
    ),
    "known method": ("The methods are the ones every course teaches", "The methods are not the usual pick"),
    "tutorial": ("The task is one that tutorials walk through", "The task is not one that tutorials walk through"),
    "own data": (
        "Nothing says that the author made or labelled the data",
        "The author made, gathered or labelled the data",
    ),
    "public source": (
        "The data came ready-made from a public source",
        "The data did not come ready-made from a well-known source",
    ),
    "additions": (
        "Nothing goes beyond the usual: no study, users or question of one's own",
        "It goes beyond the usual base",
    ),
    "practice": ("It is told the way practice projects are", "It is not told the way practice projects are"),
    "software": ("It is told as a model, not as a software product", "Much of it is software rather than a model"),
    "form": (
        "Its length and layout are those of worn projects",
        "Its length and layout are those of original projects",
    ),
    "wording": ("Its words are those of worn projects", "Its words are those of original projects"),
    "sense": ("As a whole it reads like projects that are worn", "As a whole it reads like projects that are original"),
}


def decide(opinion: Opinion, cuts: Mapping[str, float], *, words: int, language: str, names_known: bool) -> Verdict:
    """Choose the verdict.

    Args:
        cuts: the learned ones; ``flag`` is the probability from which a text is flagged.
        words, language: of the brief.
        names_known: whether the text names or clearly means a known dataset or cliché.

    Returns:
        The verdict without reasons. ``unclear`` where the text is too thin, or no label is likely enough.
    """
    probabilities = {str(label): float(p) for label, p in zip(ORDER, opinion.verdict, strict=True)}
    label = ORDER[0]
    if opinion.flag < cuts["flag"]:
        label = max(ORDER[1:], key=lambda one: probabilities[one])
    likely = max(probabilities.values())
    thin = words == 0 or (words < MIN_WORDS and not names_known)
    foreign = language not in {"en", "und"} and not names_known and likely < FOREIGN_BELOW
    if thin or foreign or likely < MIXED_BELOW:
        label = "unclear"
    return Verdict(label, opinion.flag, probabilities)


def of_whole(whole: Verdict, parts: Sequence[Verdict]) -> Verdict:
    """Keep a text of several projects from being flagged where one of them is surely original.

    A false flag on an original project is the worst error; exercises beside it are no fault. The probability stays that
    of the text as a whole.
    """
    stands_apart = any(p.label == "original" and p.flag_probability < SURELY_BELOW for p in parts)
    return replace(whole, label="partly_known") if whole.label == "well_worn" and stands_apart else whole


def reasons(
    pulls: Mapping[str, float], matches: Sequence[Match], facets: Facets, telling: Mapping[str, Sequence[Evidence]]
) -> tuple[Reason, ...]:
    """Say what decided, strongest first.

    Args:
        pulls: side of the text to its log-odds towards well worn.
        telling: side to the stretches that show it, for the sides that no match or facet shows.
    """
    shown: dict[str, Sequence[Evidence]] = {
        "known data": [e for m in matches if m.role == "rests_on" for e in m.evidence],
        "known method": [e for m in matches if m.kind == "technique" for e in m.evidence],
        "tutorial": facets.problem.evidence,
        "own data": facets.data.evidence if facets.data.status == "own" else (),
        "additions": facets.additions.evidence,
        **telling,
    }
    strongest = sorted(pulls.items(), key=lambda item: -abs(item[1]))
    return tuple(
        Reason(side, round(pull, 3), _WHY[side][pull < 0], tuple(shown.get(side, ()))[:3])
        for side, pull in strongest
        if abs(pull) >= MIN_PULL and not _contradicts(side, pull, facets)
    )[:MAX_REASONS]


def _contradicts(side: str, pull: float, facets: Facets) -> bool:
    """Tell whether a side's line would deny what its facet shows; a pull is against the average text, a facet isn't."""
    stated = {
        "known data": facets.data.status == "known",
        "known method": facets.method.status == "known" and bool(facets.method.items),
        "tutorial": facets.problem.status == "worn",
        "own data": facets.data.status != "own",
        "additions": facets.additions.status == "none",
    }
    return side in stated and stated[side] != (pull > 0)


def summary(verdict: Verdict, facets: Facets, brief: Brief) -> str:
    """Say in two sentences what was found and what to do about it."""
    data = ", ".join(facets.data.items[:2])
    method = ", ".join(facets.method.items[:2])
    theme = facets.problem.items[0] if facets.problem.items else ""
    match verdict.label:
        case "well_worn":
            base = " and ".join(part for part in (data, method) if part) or theme or "this combination"
            return (
                f"Those who hire have seen this many times: {base}, with little that is the author's own. "
                "Keep the method if it works, and change the data, the question or the use: the suggestions say how."
            )
        case "partly_known":
            base = data or theme or "a familiar task"
            added = ", ".join(facets.additions.items[:2])
            more = f"it adds {added}" if added else "something in it is not the usual"
            return (
                f"The base is familiar ({base}), and {more}. "
                "Put what is new into the first sentence, and take it one step further with a suggestion below."
            )
        case "original":
            what = (
                "data of your own" if facets.data.status == "own" else "a problem or method that is not the usual one"
            )
            return (
                f"This stands apart: it has {what}. "
                "A textbook method is no fault here; show how you made the data, what failed, and who it is for."
            )
        case "off_topic":
            return (
                "This does not read as a machine-learning or data project, so there is nothing to compare. "
                "If it is one, say what is predicted or answered, on which data, and how."
            )
        case _:
            missing = "Too little is said" if brief.words < 3 * MIN_WORDS else "The text points in several directions"
            return f"{missing} to judge it fairly. {_ADD}"


_ADD = "Add what is predicted or answered, where the data come from and who made them, and which method is used."


def change(verdict: Verdict, facets: Facets) -> str:
    """Name the single change that would move the verdict most; empty where none is needed."""
    if verdict.label == "unclear":
        return _ADD
    if verdict.label in {"original", "off_topic"}:
        return ""
    if facets.data.status in {"known", "unknown", "none"}:
        known = facets.data.items[0] if facets.data.items else "ready-made data"
        return f"Data of your own in place of, or beside, {known}: gathered, labelled or measured by you."
    if facets.additions.status == "none":
        return "Something beyond the usual: a question somebody has, an error analysis, or people who use it."
    return "A question of your own: say who needs the answer and what they would do with it."
