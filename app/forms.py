"""Reads what people send from the page: the idea's form, and a file dropped on it; never by way of a disk."""

from __future__ import annotations

from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from app import corrections
from app.errors import BadInput, TextTooLong
from app.records import About, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

MOST_FIELDS = 60
MOST_COMPARED = 20_000
"""Characters of an earlier text up to which it travels with the form to be compared; the form carries both."""


class HoursUnreadable(BadInput):
    """The hours that somebody has are not a number."""


class UploadTooLarge(TextTooLong):
    """A form and its file are more than is read in one go."""


class _InMemory(MultiPartParser):
    """A parser that keeps files in memory: a text is never written to a disk. The body's size is limited before."""

    spool_max_size = 2**31


class _Kept(Request):
    """A request whose form is read in memory by the framework, too."""

    async def form(self, *, max_part_size: int = 1 << 20, **_: float) -> FormData:  # type: ignore[override]
        """Read fields and files; what the framework would allow of them is more than is ever sent here."""
        return await _parsed(self, max_part_size)


class UploadRoute(APIRoute):
    """Reads a form that comes with a file without a temporary file."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap FastAPI's own handler."""
        handle = super().get_route_handler()

        async def read_in_memory(request: Request) -> Response:
            answer: Response = await handle(_Kept(request.scope, request.receive))
            return answer

        return read_in_memory


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody typed, as they typed it.

    Attributes:
        previous: the text that an edit started from; empty for none.
        plain: anything, where nothing may be sent to a language model.
        word: what the author says of the facets, keys of ``corrections.STATEMENTS``.
        read: how the text was read, where it came from a file or a link.
    """

    text: str = ""
    title: str = ""
    interests: str = ""
    place: str = ""
    skills: str = ""
    hours: str = ""
    hardware: str = ""
    previous: str = ""
    plain: str = ""
    word: tuple[str, ...] = ()
    read: tuple[Notice, ...] = ()

    @property
    def has_about(self) -> bool:
        """Tell whether the folded part of the form holds anything."""
        return any((self.title, self.interests, self.place, self.skills, self.hours, self.hardware))

    @property
    def judged(self) -> str:
        """Give the text as it is to be judged: with its author's word after it."""
        return corrections.applied(self.text, self.word) if self.text.strip() else self.text

    @property
    def earlier(self) -> str:
        """Give the text as it travels along with an edit: whole, or not at all."""
        return self.text if len(self.text) <= MOST_COMPARED else ""

    @property
    def before(self) -> str:
        """Give what the text is to be compared with; empty for nothing.

        An edit is compared with the author's word on both sides; a mere word is compared with the text as it was read.
        """
        if not self.previous.strip() or len(self.previous) > MOST_COMPARED:
            return ""
        if self.previous != self.text:
            return corrections.applied(self.previous, self.word)
        return self.text if self.word else ""

    @classmethod
    def from_fields(cls, data: FormData) -> Form:
        """Take the known fields; an unknown one is passed over."""
        given = {f.name: data.get(f.name) for f in fields(cls) if f.name not in ("word", "read")}
        # A browser sends every line end as \r\n; positions should count as in the text that was pasted.
        typed: dict[str, Any] = {
            name: value.replace("\r\n", "\n") for name, value in given.items() if isinstance(value, str)
        }
        word = corrections.known(value for value in data.getlist("word") if isinstance(value, str))
        return cls(**typed, word=word)

    def about(self) -> About | None:
        """Read what the author says of themselves.

        Raises:
            HoursUnreadable: if the hours are no number from 0 to 10,000.
        """
        if not any((self.interests, self.place, self.skills, self.hours, self.hardware)):
            return None
        return About(self.interests, self.place, self.skills, _hours(self.hours), self.hardware)


async def fields_of(request: Request, most: int) -> FormData:
    """Read a form's fields and files, all of them in memory.

    Args:
        most: bytes of the largest field.

    Raises:
        HTTPException: 400 if it is no form.
        UploadTooLarge: if it is larger than the service reads.
    """
    try:
        return await _parsed(request, most)
    except HTTPException as error:
        if error.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise UploadTooLarge("What was sent is larger than is read here. Choose a smaller file.") from error


async def _parsed(request: Request, most: int) -> FormData:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await request.form(max_fields=MOST_FIELDS)
    parser = _InMemory(request.headers, request.stream(), max_files=1, max_fields=MOST_FIELDS, max_part_size=most)
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400) from error


async def file_of(data: FormData) -> tuple[str, bytes] | None:
    """Give name and content of the file that came with a form; None if none did."""
    sent = data.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None
    return sent.filename, await sent.read()


def _hours(given: str) -> float | None:
    if not given.strip():
        return None
    try:
        hours = float(given.strip().replace(",", "."))
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= 10_000:
        raise HoursUnreadable("Hours should be a number such as 10 or 2.5, or be left empty.")
    return hours
