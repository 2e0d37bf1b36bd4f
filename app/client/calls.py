"""What each call of the service sends and how its answer is read: one place for both clients, which add the sending."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from app.catalogue import Alternative, Cliche, Dataset, Technique, Tutorial
from app.client.errors import AnswerUnreadable, kind_of
from app.client.patience import asked_wait_s
from app.contract import (
    MAX_BATCH,
    AnyEntry,
    BatchOut,
    CataloguePage,
    CheckIn,
    CollectionOut,
    CollectionsOut,
    FeedbackOut,
    ItemError,
    ItemFailed,
    Kind,
    NoteOut,
    ProblemOut,
    RowIn,
    RowsOut,
)
from app.report import Neighbour, Report, SearchHit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import httpx

    from app.client.errors import Refused
    from app.contract import AboutIn
    from app.records import EntryKind, VerdictLabel

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Query = Mapping[str, str | int]

MOST_TOGETHER_BYTES = 1_500_000
"""Of a batch that is made here: below what a service reads of one body unless it is told otherwise (2,000,000)."""
API = "api/v1"
"""Where all calls are, below the service's address."""
_HELD: dict[Kind, TypeAdapter[AnyEntry]] = {
    "dataset": TypeAdapter(Dataset),
    "technique": TypeAdapter(Technique),
    "tutorial": TypeAdapter(Tutorial),
    "cliche": TypeAdapter(Cliche),
    "alternative": TypeAdapter(Alternative),
}


class _OfKind(BaseModel):
    kind: Kind


class Sent(TypedDict):
    """Arguments of httpx's ``request`` and ``stream``."""

    method: str
    url: str
    params: Query
    content: bytes | None
    files: Mapping[str, tuple[str, bytes]] | None
    data: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One call.

    Attributes:
        path: below the service's address.
        read: makes the answer of its body.
        body: sent as JSON.
        file: sent as a form, by its name and content, with ``form``'s fields beside it.
        extra: headers.
        repeatable: whether doing it twice is as good as once.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    read: Callable[[bytes], T_co]
    params: Query = field(default_factory=dict)
    body: object = None
    file: tuple[str, bytes] | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True

    def sent(self) -> Sent:
        """Give the web client's arguments."""
        kind = {} if self.body is None else {"Content-Type": "application/json"}
        return Sent(
            method=self.method,
            url=self.path,
            params=self.params,
            content=self.content(),
            files={"file": self.file} if self.file else None,
            data=self.form,
            headers={**kind, **self.extra},
        )

    def content(self) -> bytes | None:
        """Write the body; in ASCII, for a text may hold halves of pairs that UTF-8 can't."""
        return None if self.body is None else json.dumps(self.body, allow_nan=False).encode("ascii")

    def answer(self, response: httpx.Response) -> T_co:
        """Read an answer.

        Raises:
            Refused: if it is a fault.
            AnswerUnreadable: if it isn't what the API documents.
        """
        if response.is_error:
            raise fault(response)
        if not response.is_success:
            raise AnswerUnreadable(
                f"{_place(response)} leads elsewhere ({response.status_code}). Give the address that it leads to."
            )
        try:
            return self.read(response.content)
        except (ValueError, RecursionError):  # no JSON, or not of the shape that it should have
            raise AnswerUnreadable(
                f"{_place(response)} gave an answer that this client can't read. See that the address is an "
                "originality checker's, and that client and service are of like versions."
            ) from None  # the fault's own words hold what was answered


def fault(response: httpx.Response) -> Refused:
    """Read a fault; what stands before the service, such as a proxy, may have answered in its place."""
    try:
        problem = ProblemOut.model_validate(json.loads(response.content))
    except (ValueError, RecursionError):
        told = f"{_place(response)} answered without saying why; it may not be the service itself that answered."
        problem = ProblemOut(
            type="about:blank", title=response.reason_phrase or "Fault", status=response.status_code, detail=told
        )
    return kind_of(response.status_code)(problem, asked_wait_s(response))


def _place(response: httpx.Response) -> str:
    """Name the service alone: the rest of an address may hold a token or a name."""
    return f"{response.url.scheme}://{response.url.netloc.decode('ascii')}"


def reader(model: type[T]) -> Callable[[bytes], T]:
    """Read a model; a newer service may say more, and what this client doesn't know is left out."""
    adapter = TypeAdapter(model)
    # Not pydantic's own reader of JSON, which refuses halves of pairs, and a quote may hold one.
    return lambda body: adapter.validate_python(json.loads(body), extra="ignore")


def _part(model: type[T], name: str) -> Callable[[bytes], list[T]]:
    """Read a list that stands in an object under a name."""
    adapter = TypeAdapter(list[model])  # type: ignore[valid-type]
    held = TypeAdapter(dict[str, Any])
    return lambda body: adapter.validate_python(held.validate_python(json.loads(body)).get(name), extra="ignore")


def nothing(_: bytes) -> None:
    """Read nothing."""
    return


def segment(name: str) -> str:
    """Write a name as one part of a path.

    Raises:
        ValueError: if it would be none, or more than one: another call than the one that was meant.
    """
    if not name or "/" in name:
        raise ValueError("A name in an address is not empty and has no slash.")
    return _escaped(name)


def _escaped(name: str) -> str:
    return quote(name.encode("utf-8", "replace"), safe="").replace(".", "%2E")  # a name of dots leads elsewhere


# --- checks ----------------------------------------------------------------------------------------------------------


def check(
    text: str,
    id: str,  # noqa: A002
    title: str,
    language: str,
    about: AboutIn | None,
    collections: Sequence[str],
) -> Call[Report]:
    """Judge one text."""
    given: dict[str, object] = {"text": text}
    if about is not None:
        given["about"] = about.model_dump(exclude_defaults=True)
    given |= {k: v for k, v in {"id": id, "title": title, "language": language}.items() if v}
    if collections:
        given["collections"] = list(collections)
    return Call("POST", f"{API}/checks", reader(Report), body=given)


def batch(items: Iterable[CheckIn | str]) -> Call[list[Report | ItemFailed]]:
    """Judge several texts together."""
    rows = [_item(one).model_dump(exclude_defaults=True) for one in items]
    read = reader(BatchOut)
    return Call("POST", f"{API}/checks:batch", lambda body: read(body).results, body={"items": rows})


def _item(given: CheckIn | str) -> CheckIn:
    return CheckIn(text=given) if isinstance(given, str) else given


def together(items: Iterable[CheckIn | str]) -> Iterator[list[CheckIn]]:
    """Part texts into batches that a service takes; one that is too large by itself is alone in its own."""
    part: list[CheckIn] = []
    size = 0
    for item in map(_item, items):
        more = len(json.dumps(item.model_dump(exclude_defaults=True)))
        if part and (len(part) == MAX_BATCH or size + more > MOST_TOGETHER_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += more
    if part:
        yield part


def failed(item: CheckIn, refused: Refused) -> ItemFailed:
    """Put the refusal of a batch of one in the place of its result."""
    told = refused.problem
    return ItemFailed(id=item.id, error=ItemError(type=told.type, title=told.title, detail=told.detail))


# --- the catalogue ---------------------------------------------------------------------------------------------------


def search(
    query: str, k: int, kind: Sequence[EntryKind], modality: Sequence[str], task: Sequence[str], tier: Sequence[int]
) -> Call[list[SearchHit]]:
    """Search the catalogue; posted, so that the query stands in no address and no proxy's log."""
    among = {"kind": list(kind), "modality": list(modality), "task": list(task), "tier": list(tier)}
    given = {"q": query, "k": k} | {name: some for name, some in among.items() if some}
    return Call("POST", f"{API}/search", _part(SearchHit, "hits"), body=given)


def search_collection(collection: str, query: str, k: int) -> Call[list[Neighbour]]:
    """Search a collection."""
    given = {"q": query, "k": k, "collection": collection}
    return Call("POST", f"{API}/search", _part(Neighbour, "hits"), body=given)


def catalogue(kind: Kind | None, offset: int, limit: int) -> Call[CataloguePage]:
    """List a stretch of the catalogue."""
    params: dict[str, str | int] = {"offset": offset, "limit": limit} | ({"kind": kind} if kind else {})
    return Call("GET", f"{API}/catalogue", reader(CataloguePage), params)


def entry(name: str) -> Call[AnyEntry]:
    """Show an entry whole."""
    return Call("GET", f"{API}/catalogue/{segment(name)}", _entry)


def _entry(body: bytes) -> AnyEntry:
    found = json.loads(body)
    return _HELD[_OfKind.model_validate(found).kind].validate_python(found, extra="ignore")


# --- collections -----------------------------------------------------------------------------------------------------


def collections() -> Call[list[CollectionOut]]:
    """List the collections that the key may read."""
    read = reader(CollectionsOut)
    return Call("GET", f"{API}/collections", lambda body: read(body).collections)


def rows(name: str, offset: int, limit: int) -> Call[RowsOut]:
    """List a stretch of a collection."""
    params: Query = {"offset": offset, "limit": limit}
    return Call("GET", f"{API}/collections/{segment(name)}/rows", reader(RowsOut), params)


def add_rows(name: str, given: Iterable[RowIn]) -> Call[CollectionOut]:
    """Add rows; again is as good as once, for a row replaces the one of its id."""
    body = {"rows": [one.model_dump(exclude_defaults=True) for one in given]}
    return Call("POST", f"{API}/collections/{segment(name)}/rows", reader(CollectionOut), body=body)


def remove_row(name: str, row: str) -> Call[CollectionOut]:
    """Remove a row."""
    if not row:
        raise ValueError("A row has an id.")
    path = f"{API}/collections/{segment(name)}/rows/{_escaped(row)}"
    return Call("DELETE", path, reader(CollectionOut), repeatable=False)


def drop_collection(name: str) -> Call[None]:
    """Delete a collection."""
    return Call("DELETE", f"{API}/collections/{segment(name)}", nothing, repeatable=False)


# --- what readers say back -------------------------------------------------------------------------------------------


def disagree(report: Report, wished: VerdictLabel, comment: str, text: str, *, consent: bool) -> Call[str]:
    """Leave word that a verdict is seen otherwise."""
    said = {"verdict": report.verdict, "wished": wished, "comment": comment, "text": text, "consent": consent}
    judged_by = {"rules": report.provenance.rules, "catalogue": report.provenance.catalogue}
    return _leave({"kind": "disagreement", **said, **judged_by})


def propose(entry: Kind, name: str, url: str, about: str, *, consent: bool) -> Call[str]:
    """Leave word that the catalogue lacks something."""
    return _leave({"kind": "proposal", "entry": entry, "name": name, "url": url, "about": about, "consent": consent})


def _leave(said: Mapping[str, object]) -> Call[str]:
    read = reader(FeedbackOut)
    return Call("POST", f"{API}/feedback", lambda body: read(body).token, body=said, repeatable=False)


def note(token: str) -> Call[NoteOut]:
    """Read a note."""
    return Call("GET", f"{API}/feedback/{segment(token)}", reader(NoteOut))


def delete_note(token: str) -> Call[None]:
    """Delete a note."""
    return Call("DELETE", f"{API}/feedback/{segment(token)}", nothing, repeatable=False)


# --- the service itself ----------------------------------------------------------------------------------------------


def ready() -> Call[None]:
    """Ask whether the service can check."""
    return Call("GET", "ready", nothing)


def info() -> Call[dict[str, Any]]:
    """Ask for versions, counts and limits."""
    return Call("GET", "info", reader(dict[str, Any]))
