"""The contract: what every face shows of a judged text, field by field. Schema version 1; its names are stable."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.records import EntryKind, Role, Side, VerdictLabel


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(_Model):
    """A stretch of the text exactly as it was received."""

    start: int = Field(ge=0, description="First code point.")
    end: int = Field(ge=0, description="One past the last code point.")
    quote: str = Field(description="The words between start and end.")


class Reason(_Model):
    """One named thing that moved the verdict."""

    feature: str = Field(description="Stable name of the family of features.", examples=["known data"])
    direction: Literal["worn", "original"] = Field(description="Which way it spoke.")
    weight: float = Field(description="Its contribution to the log-odds of well_worn, against the average text.")
    text: str = Field(description="The same in plain words.")
    evidence: list[Evidence] = Field(description="Where the text shows it; may be empty.")


class Facet(_Model):
    """One side of the project."""

    status: str = Field(description="What kind it is, out of the list that belongs to this facet.")
    items: list[str] = Field(description="What was found, by name.")
    evidence: list[Evidence] = Field(description="Where the text shows it.")


class Facets(_Model):
    """The four sides that the verdict is decided from."""

    problem: Facet = Field(description="status: worn (a known task or cliché), familiar, own, or unclear.")
    data: Facet = Field(description="status: known, own, unknown or none.")
    method: Facet = Field(description="status: known, novel or none.")
    additions: Facet = Field(description="status: some or none; items name what goes beyond the usual.")


class Match(_Model):
    """A known thing that the text has to do with."""

    entry: str = Field(description="Id in the catalogue.")
    kind: EntryKind
    name: str
    url: str | None = Field(description="Where it is found; null where no address is known.")
    tier: int = Field(ge=1, le=3, description="1: everyone's first portfolio; 3: known in its subfield.")
    role: Role = Field(
        description="rests_on, pretrained_on, contrast, benchmark or mentioned for datasets; uses or contrast for "
        "techniques; follows or resembles for tutorials and clichés."
    )
    cosine: float = Field(ge=-1, le=1, description="Similarity of its nearest view; information, never a verdict.")
    confidence: float = Field(ge=0, le=1, description="How sure the role is.")
    evidence: list[Evidence]


class Neighbour(_Model):
    """A row of a collection that comes near; information, never part of the verdict."""

    collection: str
    entry: str = Field(description="Id in the collection.")
    name: str
    url: str | None
    cosine: float = Field(ge=-1, le=1, description="Similarity of the whole to the whole.")
    evidence: list[Evidence] = Field(description="The sentences nearest to it; empty for a search.")


class Resource(_Model):
    """A place on the web."""

    name: str
    url: str


class Projected(_Model):
    """What the checker says of the idea with the suggestion taken."""

    verdict: VerdictLabel
    flag_probability: float = Field(ge=0, le=1)


class Suggestion(_Model):
    """One way to make this very project the author's own, tried by the checker itself."""

    id: str
    title: str
    detail: str
    first_steps: list[str] = Field(description="What to do this weekend.")
    facet: Side = Field(description="The side that it changes.")
    effort: str
    resources: list[Resource]
    entries: list[str] = Field(description="Catalogue ids that it comes from.")
    rewrite: str = Field(description="The idea in one paragraph with the suggestion taken.")
    projected: Projected
    phrasing: Literal["plain", "rephrased"] = Field(
        default="plain", description="rephrased: title, detail and steps were worded anew by a language model."
    )
    language: str = Field(default="en", description="Code of the language of title, detail and steps.")


class Phrasing(_Model):
    """What a language model did to the wording of the suggestions, where the operator of the service uses one."""

    host: str = Field(description="Where the text's beginning and the suggestions were sent; empty if nothing was.")
    model: str = Field(description="Its name there.")
    rephrased: int = Field(ge=0, description="Suggestions worded anew; the others are plain.")
    trouble: Literal["", "time_out", "unavailable", "unusable_answer", "refusal", "budget", "resting", "checks"] = (
        Field(description="Why suggestions stayed plain; checks: a draft had a link, name or number of its own.")
    )


class Notice(_Model):
    """Something to know of how the text was read."""

    code: str = Field(examples=["language", "length", "boilerplate", "repeated", "repaired", "several_projects"])
    message: str


class Provenance(_Model):
    """What judged, so that a verdict can be repeated."""

    software: str
    catalogue: str = Field(description="Version, date and hash of the catalogue.")
    model: str = Field(description="The encoder and the hash of its weights.")
    rules: str = Field(description="The judge's coefficients: date and hash.")
    index: str = Field(description="Hash of the catalogue and layout that the index was built for.")


class Report(_Model):
    """Everything that is said of one text."""

    schema_version: Literal[1] = 1
    id: str = Field(description="As the caller gave it; empty if not given.")
    verdict: VerdictLabel
    flagged: bool = Field(description="True exactly where the verdict is well_worn.")
    flag_probability: float = Field(ge=0, le=1, description="Calibrated: of texts at .8, eight in ten are worn.")
    summary: str = Field(description="Two sentences that a person can act on.")
    change: str = Field(description="The single change that would move the verdict; empty where none is needed.")
    keep: str = Field(description="What is fine as it is, so that nobody swaps it for something fancier; may be empty.")
    why: list[Reason] = Field(description="What decided, strongest first.")
    facets: Facets
    matches: list[Match]
    neighbours: list[Neighbour] = Field(default=[], description="Nearest rows of the collections asked for.")
    suggestions: list[Suggestion]
    phrasing: Phrasing | None = Field(
        default=None, description="Null where no language model was asked, and every suggestion is in its plain form."
    )
    warnings: list[Notice]
    provenance: Provenance
    projects: list[Report] = Field(default=[], description="One report each where the text holds several projects.")


class SearchHit(_Model):
    """A catalogue entry near to a description."""

    entry: str = Field(description="Id in the catalogue.")
    kind: EntryKind
    name: str
    url: str | None
    tier: int = Field(ge=1, le=3)
    cosine: float = Field(ge=-1, le=1, description="Similarity of its nearest view, in [-1, 1].")
    view: str = Field(description="Which of its views came nearest.")
    found_by: list[Literal["name", "words", "meaning"]] = Field(
        default=[], description="The query names it, shares its words, or is near in meaning; what is named goes first."
    )
