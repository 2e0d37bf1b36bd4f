"""What goes in and out of screenings over REST, documented field by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.contract import AtMost, In, Line, formed
from app.records import VerdictLabel
from app.report import Notice, Report

MAX_ITEMS = 10_000
_B64 = "[A-Za-z0-9+/]"
SECRET_FORM = f"^whsec_(?:{_B64}{{4}}){{8,20}}(?:{_B64}{{4}}(?:{_B64}{{2}}==)?|{_B64}{{2}}==|{_B64}{{3}}=)?$"
"""24 to 64 bytes in base64; ``app.screenings.webhooks`` holds secrets to it."""


class ProjectIn(In):
    """One project to be judged."""

    id: Annotated[str, AtMost(200)] = Field(
        default="", description="Your own name for it; its number where it is empty."
    )
    text: str = Field(default="", description="The README or description as it was handed in.")
    url: Annotated[str, AtMost(2_000)] = Field(
        default="",
        description="Where the text is, instead of it: a repository, an account, a card, any page; needs fetch.",
    )
    candidate: Annotated[str, AtMost(200)] = Field(default="", description="Whose it is; hidden until it is asked for.")
    title: Line = ""


class WebhookIn(In):
    """Who is told that the screening has ended, as Standard Webhooks has it: screening.done, screening.cancelled."""

    url: Annotated[str, AtMost(2_000), formed("^https?://")] = Field(
        description="Gets a POST; public addresses alone are asked."
    )
    secret: Annotated[str, AtMost(200), formed(SECRET_FORM)] = Field(
        description="What messages are signed with: whsec_ and base64 of 24 to 64 random bytes."
    )


class ScreeningIn(In):
    """Projects to be judged as one job."""

    items: list[ProjectIn] = Field(min_length=1, max_length=MAX_ITEMS)
    title: Line = Field(default="", description="Your own name for the screening.")
    suggest: bool = Field(default=False, description="Also suggest ways forward; takes several times as long.")
    fetch: bool = Field(default=False, description="Follow the items' addresses; public ones alone are asked.")
    webhook: WebhookIn | None = None


class ScreeningOut(BaseModel):
    """How far a screening is."""

    id: str
    title: str
    state: Literal["running", "paused", "cancelled", "done"]
    total: int = Field(description="Projects; it grows where a link leads to several.")
    done: int = Field(description="Projects with a report or an error.")
    failed: int = Field(description="Those of them with an error.")
    created: float = Field(description="Seconds since 1970.")
    expires: float = Field(description="When it is deleted by itself; seconds since 1970.")
    notices: list[Notice] = Field(description="How the file was read, such as which column was taken for what.")


class ScreeningsOut(BaseModel):
    """Your screenings, newest first."""

    screenings: list[ScreeningOut]


class OverrideOut(BaseModel):
    """A person's verdict."""

    number: int
    verdict: VerdictLabel
    reason: str
    by: str = Field(description="Name of the key.")
    at: float


class ResultOut(BaseModel):
    """What became of one project: a report or an error."""

    number: int = Field(description="Its place in what was sent, from 1.")
    id: str
    candidate: str
    link: str
    error: str
    report: Report | None
    override: dict[str, Any] | None = Field(description="The last one, if a person overruled the verdict.")


class ResultsOut(BaseModel):
    """Results in the order of judging; ask again with next for what came since."""

    results: list[ResultOut]
    next: int = Field(description="The cursor behind these.")
    more: bool = Field(description="Whether results may follow, now or later.")


class OverrideIn(In):
    """A person's verdict over the judged one."""

    verdict: VerdictLabel
    reason: Annotated[str, AtMost(2_000)] = Field(min_length=3, description="Why; it stays in the log.")


class OverridesOut(BaseModel):
    """The log of overrides, oldest first."""

    overrides: list[OverrideOut]


class PieceOut(BaseModel):
    """A stretch of a text; joined, they are all of it, with names hidden."""

    text: str
    kind: Literal["", "shared", "handout"]


class TwinOut(BaseModel):
    """One side of a near-identical pair."""

    number: int
    candidate: str
    pieces: list[PieceOut]


class PairOut(BaseModel):
    """Two near-identical projects of different candidates."""

    share: float = Field(ge=0, le=1, description="Of the shorter text's own words, hand-outs left out.")
    words: int
    first: TwinOut
    second: TwinOut


class HandoutOut(BaseModel):
    """A passage that many candidates have: a template, and no copying."""

    text: str
    candidates: int


class PairsOut(BaseModel):
    """What candidates share."""

    pairs: list[PairOut]
    handouts: list[HandoutOut]
