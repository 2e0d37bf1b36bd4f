"""What goes in and out over REST, documented field by field: known to the service and to its clients alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app import corpus
from app.catalogue import Alternative, Cliche, Dataset, Technique, Tutorial
from app.records import EntryKind, VerdictLabel
from app.report import Neighbour, Report, SearchHit

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

MAX_BATCH = 100
MAX_HITS = 100
MAX_ROWS = 1_000
MAX_COLLECTIONS = 10
MAX_CHOICES = 20
MAX_PAGE = 500
MAX_COMMENT = 1_000
MAX_KEPT_TEXT = 20_000
MOST = 2**31 - 1
"""Largest number that an address may carry: what a column of every database holds."""
NAME_FORM = "^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$"
"""A collection's name; ``app.store`` holds names to it."""
URL_FORM = "^(?:https?://|$)"
Kind = Literal["dataset", "technique", "tutorial", "cliche", "alternative"]
AnyEntry: TypeAlias = Dataset | Technique | Tutorial | Cliche | Alternative


class In(BaseModel):
    """What a request holds: nothing that isn't documented."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class AtMost:
    """A longest length in code points; pydantic's own refuses strings with lone surrogates, which JSON can carry."""

    length: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the length after the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Document the length."""
        return handler(schema) | {"maxLength": self.length}

    def _check(self, value: str) -> str:
        if len(value) > self.length:
            raise PydanticCustomError(
                "string_too_long", "String should have at most {most} characters", {"most": self.length}
            )
        return value


def formed(pattern: str) -> Any:
    """Document a form, which is held by the room that it belongs to, with words of its own."""
    return Field(json_schema_extra={"pattern": pattern})


def _whole(value: Any) -> Any:
    """Read 3.0 as 3: JSON knows one kind of number, and to JSON Schema both are an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Line = Annotated[str, AtMost(500)]
Address = Annotated[str, AtMost(500), formed(URL_FORM)]
CollectionName = Annotated[str, AtMost(64), formed(NAME_FORM)]
Tier = Annotated[int, Field(ge=1, le=3), BeforeValidator(_whole)]


class AboutIn(In):
    """What the author says of themselves; steers the advice and never the verdict."""

    interests: Line = ""
    place: Line = ""
    skills: Line = ""
    hours: float | None = Field(
        default=None, ge=0, le=10_000, allow_inf_nan=False, description="Hours that they have for it."
    )
    hardware: Line = ""


class CheckIn(In):
    """One text to be judged."""

    text: str = Field(description="The idea or the README, as its author wrote it; plain text or Markdown.")
    id: Annotated[str, AtMost(200)] = Field(default="", description="Your own name for it; comes back in the report.")
    title: Line = ""
    language: Annotated[str, AtMost(35)] = Field(
        default="", description="Its language's tag where you know it; else it is detected."
    )
    about: AboutIn | None = None
    collections: list[CollectionName] = Field(
        default=[],
        max_length=MAX_COLLECTIONS,
        description="Collections whose nearest rows are to be shown; needs a key.",
    )
    suggest: bool = Field(
        default=True, description="False leaves the suggestions out: the report comes several times sooner."
    )
    plain: bool = Field(
        default=False,
        description="Send nothing to the language model that the operator may have chosen (/info names its host); in a "
        "batch nothing is sent in any case.",
    )


class BatchIn(In):
    """Several texts to be judged in one go, faster than one by one."""

    items: list[CheckIn] = Field(min_length=1, max_length=MAX_BATCH)


class ItemError(BaseModel):
    """Why one item of a batch has no report."""

    type: str
    title: str
    detail: str


class ItemFailed(BaseModel):
    """An item of a batch that could not be judged; the others were."""

    id: str
    error: ItemError


class BatchOut(BaseModel):
    """One result per item, in the order of the items."""

    results: list[Report | ItemFailed]


class SearchIn(In):
    """A query that is too long or too private for an address."""

    q: Annotated[str, AtMost(20_000)]
    k: Annotated[int, Field(ge=1, le=MAX_HITS), BeforeValidator(_whole)] = 10
    kind: list[EntryKind] = Field(default=[], description="Kinds to look among; all where it is empty.")
    modality: list[Line] = Field(
        default=[], max_length=MAX_CHOICES, description="Forms of data, such as image or tabular."
    )
    task: list[Line] = Field(
        default=[], max_length=MAX_CHOICES, description="What it is used for, such as classification."
    )
    tier: list[Tier] = Field(
        default=[], max_length=MAX_CHOICES, description="1: everyone's first portfolio; 3: its subfield."
    )
    collection: Annotated[str, AtMost(64)] = Field(
        default="",
        description="Search this collection instead; needs a key.",
        json_schema_extra={"pattern": f"{NAME_FORM}|^$"},
    )


class SearchOut(BaseModel):
    """What the catalogue, or a collection, has nearest to a query, best first."""

    hits: list[SearchHit | Neighbour]


class RowIn(In):
    """One thing of a collection."""

    id: Annotated[str, AtMost(corpus.MAX_ID_CHARS)] = Field(min_length=1, description="One that is there is replaced.")
    name: Annotated[str, AtMost(corpus.MAX_NAME_CHARS)] = Field(min_length=1)
    about: Annotated[str, AtMost(corpus.MAX_ABOUT_CHARS)] = ""
    url: Address = ""
    source: Line = ""
    licence: Line = ""
    retrieved: Line = ""


class RowsIn(In):
    """Rows to add to a collection, which is made if there is none."""

    rows: list[RowIn] = Field(min_length=1, max_length=MAX_ROWS)


class RowsOut(BaseModel):
    """A stretch of a collection's rows, in the order of their adding."""

    total: int
    offset: int
    version: int
    rows: list[corpus.Row]


class CollectionOut(BaseModel):
    """A collection as it stands."""

    name: str
    rows: int
    version: int


class CollectionsOut(BaseModel):
    """The collections that a key may read."""

    collections: list[CollectionOut]


class DisagreementIn(In):
    """A reader sees a verdict otherwise."""

    kind: Literal["disagreement"]
    verdict: VerdictLabel = Field(description="What the checker said.")
    wished: VerdictLabel = Field(description="What it should have said.")
    comment: Annotated[str, AtMost(MAX_COMMENT)] = Field(default="", description="Why.")
    rules: Line = Field(default="", description="The report's provenance.rules.")
    catalogue: Line = Field(default="", description="The report's provenance.catalogue.")
    text: Annotated[str, AtMost(MAX_KEPT_TEXT)] = Field(
        default="", description="The text, where its author allows that, too."
    )
    consent: Literal[True] = Field(description="Whoever says this allows that it be kept; without that nothing is.")


class ProposalIn(In):
    """The catalogue lacks something."""

    kind: Literal["proposal"]
    entry: Kind = Field(description="What kind of thing it is.")
    name: Line = Field(min_length=1)
    url: Line = ""
    about: Annotated[str, AtMost(MAX_COMMENT)] = ""
    consent: Literal[True] = Field(description="Whoever says this allows that it be kept; without that nothing is.")


FeedbackIn = Annotated[DisagreementIn | ProposalIn, Field(discriminator="kind")]


class FeedbackOut(BaseModel):
    """A note is kept."""

    token: str = Field(description="Leads to the note, and is kept nowhere: who has it can read and delete the note.")


class NoteOut(BaseModel):
    """A note as it is kept."""

    kind: Literal["disagreement", "proposal"]
    day: str = Field(description="ISO date of its keeping.")
    said: dict[str, str] = Field(description="What was said, by field.")


class EntrySummary(BaseModel):
    """A line of the catalogue's table of contents."""

    id: str
    kind: Kind
    name: str
    url: str | None
    tier: int = Field(ge=1, le=3, description="1: everyone's first portfolio; 3: known in its subfield.")
    about: str


class CataloguePage(BaseModel):
    """A stretch of the catalogue in the order of ids."""

    total: int = Field(description="Entries that fit the filter, on all pages.")
    offset: int
    items: list[EntrySummary]


class FieldFault(BaseModel):
    """One field that is not as documented."""

    loc: list[str | int]
    msg: str


class ProblemOut(BaseModel):
    """A fault, as RFC 9457 tells it."""

    type: str = Field(
        description="Stable name of the kind of fault.", examples=["urn:originality:problem:text-too-long"]
    )
    title: str
    status: int
    detail: str = Field(description="What was found, what is allowed, what to do.")
    instance: str | None = Field(default=None, description="Carries the request's X-Request-ID.")
    errors: list[FieldFault] | None = Field(
        default=None, description="For a body of the wrong shape: what is wrong where."
    )
