"""Puts what the stages concluded into the contract's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import report as contract
from app import verdict as words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.catalogue import Entry
    from app.records import Brief, Evidence, Facet, Facets, Match, Projected, Reason, Suggestion, Verdict


def report(
    brief: Brief,
    verdict: Verdict,
    why: Sequence[Reason],
    facets: Facets,
    matches: Sequence[Match],
    suggestions: Sequence[tuple[Suggestion, Projected]],
    entries: Mapping[str, Entry],
    provenance: contract.Provenance,
    *,
    kept: str = "",
    smallest: str = "",
    projects: Sequence[contract.Report] = (),
    neighbours: Sequence[contract.Neighbour] = (),
) -> contract.Report:
    """Compose a report.

    Args:
        kept: a sentence on what is fine as it is, for the end of the summary; empty for none.
        smallest: a sentence on the suggestion of least effort that moves the verdict; empty for none.
        projects: one report each where the text holds several.
        neighbours: what comes near in the collections that were asked for.
    """
    summary = words.summary(verdict, facets, brief)
    return contract.Report(
        id=brief.id,
        verdict=verdict.label,
        flagged=verdict.label == "well_worn",
        flag_probability=round(verdict.flag_probability, 4),
        summary=summary,
        change=" ".join(part for part in (words.change(verdict, facets), smallest) if part),
        keep=kept,
        why=[
            contract.Reason(
                feature=r.feature,
                direction="worn" if r.weight > 0 else "original",
                weight=r.weight,
                text=r.text,
                evidence=_evidence(r.evidence),
            )
            for r in why
        ],
        facets=contract.Facets(
            problem=_facet(facets.problem),
            data=_facet(facets.data),
            method=_facet(facets.method),
            additions=_facet(facets.additions),
        ),
        matches=[_match(m, entries[m.entry]) for m in matches],
        neighbours=list(neighbours),
        suggestions=[_suggestion(s, p) for s, p in suggestions],
        warnings=[contract.Notice(code=n.code, message=n.message) for n in brief.notices]
        + _language(brief)
        + _several(projects),
        provenance=provenance,
        projects=list(projects),
    )


def _language(brief: Brief) -> list[contract.Notice]:
    if brief.language in {"en", "und"}:
        return []
    message = (
        f"The text was read as '{brief.language}'. Outside English the names of data and methods carry the verdict, "
        "and meaning does so less well: an English version is judged more surely."
    )
    return [contract.Notice(code="language", message=message)]


def _several(projects: Sequence[contract.Report]) -> list[contract.Notice]:
    if not projects:
        return []
    message = (
        f"The text holds {len(projects)} projects. The verdict is on the whole; each project has a report of its own. "
        "For suggestions to one of them, check it alone."
    )
    return [contract.Notice(code="several_projects", message=message)]


def _evidence(found: Sequence[Evidence]) -> list[contract.Evidence]:
    return [contract.Evidence(start=e.start, end=e.end, quote=e.quote) for e in found]


def _facet(facet: Facet) -> contract.Facet:
    return contract.Facet(status=facet.status, items=list(facet.items), evidence=_evidence(facet.evidence))


def _match(match: Match, entry: Entry) -> contract.Match:
    return contract.Match(
        entry=match.entry,
        kind=match.kind,
        name=entry.name,
        url=entry.url,
        tier=entry.tier,
        role=match.role,
        cosine=round(match.cosine, 4),
        confidence=round(min(1.0, max(0.0, match.confidence)), 4),
        evidence=_evidence(match.evidence),
    )


def _suggestion(suggestion: Suggestion, projected: Projected) -> contract.Suggestion:
    return contract.Suggestion(
        id=suggestion.id,
        title=suggestion.title,
        detail=suggestion.detail,
        first_steps=list(suggestion.first_steps),
        facet=suggestion.facet,
        effort=suggestion.effort,
        resources=[contract.Resource(name=r.name, url=r.url) for r in suggestion.resources],
        entries=list(suggestion.entries),
        rewrite=suggestion.rewrite,
        projected=contract.Projected(verdict=projected.verdict, flag_probability=round(projected.flag_probability, 4)),
    )
