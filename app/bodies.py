"""What goes in and out over REST, documented field by field, and the route that takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from starlette.exceptions import HTTPException

from app import corpus
from app.checker import Submission
from app.records import About, EntryKind
from app.report import Neighbour, Report, SearchHit
from app.serving import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.json_schema import JsonSchemaValue

MAX_BATCH = 100
MAX_HITS = 100
MAX_ROWS = 1_000
MAX_COLLECTIONS = 10
MAX_CHOICES = 20
Kind = Literal["dataset", "technique", "tutorial", "cliche", "alternative"]


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


Line = Annotated[str, AtMost(500)]
CollectionName = Annotated[str, AtMost(64)]


class AboutIn(In):
    """What the author says of themselves; steers the advice and never the verdict."""

    interests: Line = ""
    place: Line = ""
    skills: Line = ""
    hours: float | None = Field(None, ge=0, le=10_000, allow_inf_nan=False, description="Hours that they have for it.")
    hardware: Line = ""


class CheckIn(In):
    """One text to be judged."""

    text: str = Field(description="The idea or the README, as its author wrote it; plain text or Markdown.")
    id: Annotated[str, AtMost(200)] = Field("", description="Your own name for it; comes back in the report.")
    title: Line = ""
    language: Annotated[str, AtMost(35)] = Field(
        "", description="Its language's tag where you know it; else it is detected."
    )
    about: AboutIn | None = None
    collections: list[CollectionName] = Field(
        [], max_length=MAX_COLLECTIONS, description="Collections whose nearest rows are to be shown; needs a key."
    )
    suggest: bool = Field(True, description="False leaves the suggestions out: the report comes several times sooner.")

    def submission(self) -> Submission:
        """Hand it on in the checker's own words."""
        about = About(**self.about.model_dump()) if self.about else None
        return Submission(
            id=self.id,
            text=self.text,
            title=self.title,
            language=self.language,
            about=about,
            collections=tuple(self.collections),
            suggest=self.suggest,
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
    k: int = Field(10, ge=1, le=MAX_HITS)
    kind: list[EntryKind] = Field([], description="Kinds to look among; all where it is empty.")
    modality: list[Line] = Field([], max_length=MAX_CHOICES, description="Forms of data, such as image or tabular.")
    task: list[Line] = Field([], max_length=MAX_CHOICES, description="What it is used for, such as classification.")
    tier: list[int] = Field([], max_length=MAX_CHOICES, description="1: everyone's first portfolio; 3: its subfield.")
    collection: Annotated[str, AtMost(64)] = Field("", description="Search this collection instead; needs a key.")


class SearchOut(BaseModel):
    """What the catalogue, or a collection, has nearest to a query, best first."""

    hits: list[SearchHit | Neighbour]


class RowIn(In):
    """One thing of a collection."""

    id: Annotated[str, AtMost(corpus.MAX_ID_CHARS)] = Field(min_length=1, description="One that is there is replaced.")
    name: Annotated[str, AtMost(corpus.MAX_NAME_CHARS)] = Field(min_length=1)
    about: str = ""
    url: Line = ""
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
    instance: str | None = Field(None, description="Carries the request's X-Request-ID.")
    errors: list[FieldFault] | None = Field(None, description="For a body of the wrong shape: what is wrong where.")


def answers(model: Any, *faults: int) -> dict[int | str, dict[str, Any]]:
    """Document an endpoint's answers: the good one, and the faults that it knows."""
    good: dict[str, Any] = {"model": model, "description": "Done."}
    return {200: good, **{status: {"model": ProblemOut, "description": FAULTS[status]} for status in faults}}


FAULTS = {
    400: "The body is not JSON.",
    401: "There is no key, or it isn't valid.",
    404: "There is no such entry or collection, or the key may not use it.",
    413: "The body or the text is larger than is read in one go.",
    415: "The body is not sent as JSON.",
    422: "The fields are not as documented, or the text holds nothing to judge.",
    429: "More checks than this address may ask for in a minute; Retry-After says when to come back.",
    503: "The model or the index is missing, doesn't fit, or is still being opened; the detail says what to do.",
}
BODY_FAULTS = (400, 413, 415, 422, 429, 503)


class JsonRoute(APIRoute):
    """Refuses a body that isn't announced as JSON before it is read."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap FastAPI's own handler."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if request.method == "POST" and kind != "application/json":
                raise HTTPException(415)
            answer: Response = await handle(request)
            return answer

        return checked


def _service(request: Request) -> Service:
    service: Service = request.state.service
    return service


ServiceNow = Annotated[Service, Depends(_service)]


def json_answer(text: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that is written already."""
    return Response(text, media_type="application/json", headers=headers)
