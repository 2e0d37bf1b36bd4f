"""The client for programs that do other things meanwhile: the other client's twin, method by method."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import httpx

from app.client import calls
from app.client.errors import RequestRejected, ServiceTrouble
from app.client.patience import Patience
from app.client.setup import DEFAULT_URL, Setup
from app.contract import MAX_PAGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from app.client.calls import Call
    from app.contract import (
        AboutIn,
        AnyEntry,
        CataloguePage,
        CheckIn,
        CollectionOut,
        EntrySummary,
        ItemFailed,
        Kind,
        NoteOut,
        RowIn,
        RowsOut,
    )
    from app.corpus import Row
    from app.records import EntryKind, VerdictLabel
    from app.report import Neighbour, Report, SearchHit, Suggestion

T = TypeVar("T")


class AsyncClient:
    """A service, asked call by call; its connections are kept. Tasks of one event loop may share it."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str = "",
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            url: where the service is, without ``/api/v1``.
            key: what ``originality keys add`` printed, where the service wants one.
            transport: httpx's, for a proxy, a socket or a test; its own if not given.

        Raises:
            ValueError: if the address is none.
        """
        self._setup = Setup(url, key, patience or Patience())
        self._http = httpx.AsyncClient(transport=transport, **self._setup.options())

    async def __aenter__(self) -> Self:
        """Use it for a while."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # --- checks ---

    async def check(
        self,
        text: str,
        *,
        id: str = "",  # noqa: A002
        title: str = "",
        language: str = "",
        about: AboutIn | None = None,
        collections: Sequence[str] = (),
    ) -> Report:
        """Judge one text.

        Args:
            id: your own name for it; comes back in the report.
            language: its language's tag where you know it; else it is detected.
            about: what the author says of themselves; steers the advice and never the verdict.
            collections: those whose nearest rows are to be shown; needs a key.

        Raises:
            ClientError: as its tree tells; so does every other method.
        """
        return await self._ask(calls.check(text, id, title, language, about, collections))

    async def suggestions(self, text: str, *, about: AboutIn | None = None) -> list[Suggestion]:
        """Tell what would make a project the author's own: the suggestions of its report."""
        return (await self.check(text, about=about)).suggestions

    async def batch(self, items: Iterable[CheckIn | str]) -> list[Report | ItemFailed]:
        """Judge up to 100 texts in one request, in order; one that can't be judged has its error in its place."""
        return await self._ask(calls.batch(items))

    async def check_all(self, items: Iterable[CheckIn | str]) -> AsyncIterator[Report | ItemFailed]:
        """Judge any number of texts, in order, in as many requests as it takes; items are read as they are needed."""
        for part in calls.together(items):
            try:
                results = await self.batch(part)
            except RequestRejected as refused:
                if len(part) > 1:
                    raise
                results = [calls.failed(part[0], refused)]
            for result in results:
                yield result

    # --- the catalogue ---

    async def search(
        self,
        query: str,
        k: int = 10,
        *,
        kind: Sequence[EntryKind] = (),
        modality: Sequence[str] = (),
        task: Sequence[str] = (),
        tier: Sequence[int] = (),
    ) -> list[SearchHit]:
        """Find what the catalogue knows by names, words and meaning, best first; no filter lets everything through."""
        return await self._ask(calls.search(query, k, kind, modality, task, tier))

    async def catalogue(self, kind: Kind | None = None, *, offset: int = 0, limit: int = 100) -> CataloguePage:
        """List what is known, a page in the order of ids."""
        return await self._ask(calls.catalogue(kind, offset, limit))

    async def entries(self, kind: Kind | None = None) -> AsyncIterator[EntrySummary]:
        """List all that is known, page after page."""
        seen = 0
        while (page := await self.catalogue(kind, offset=seen, limit=MAX_PAGE)).items:
            for item in page.items:
                yield item
            seen += len(page.items)

    async def entry(self, id: str) -> AnyEntry:  # noqa: A002
        """Show all that is known of one entry."""
        return await self._ask(calls.entry(id))

    # --- collections of one's own; they need a key ---

    async def collections(self) -> list[CollectionOut]:
        """List the collections that the key may read."""
        return await self._ask(calls.collections())

    async def search_collection(self, name: str, query: str, k: int = 10) -> list[Neighbour]:
        """Find the rows of a collection that are nearest to a description, best first."""
        return await self._ask(calls.search_collection(name, query, k))

    async def rows(self, name: str, *, offset: int = 0, limit: int = 100) -> RowsOut:
        """Give a collection's rows, a page in the order of their adding."""
        return await self._ask(calls.rows(name, offset, limit))

    async def all_rows(self, name: str) -> AsyncIterator[Row]:
        """Give all rows of a collection, page after page."""
        seen = 0
        while (page := await self.rows(name, offset=seen, limit=MAX_PAGE)).rows:
            for row in page.rows:
                yield row
            seen += len(page.rows)

    async def add_rows(self, name: str, rows: Iterable[RowIn]) -> CollectionOut:
        """Add up to 1,000 rows to a collection, which is made if there is none; all are added, or none."""
        return await self._ask(calls.add_rows(name, rows))

    async def remove_row(self, name: str, row: str) -> CollectionOut:
        """Remove one row by its id."""
        return await self._ask(calls.remove_row(name, row))

    async def drop_collection(self, name: str) -> None:
        """Delete a collection with all its versions."""
        await self._ask(calls.drop_collection(name))

    # --- what readers say back ---

    async def disagree(
        self, report: Report, wished: VerdictLabel, *, consent: Literal[True], comment: str = "", text: str = ""
    ) -> str:
        """Leave word that a verdict is seen otherwise.

        Args:
            consent: whoever says this allows that it be kept; without that nothing is.
            text: what was judged, where its author allows that it be kept, too.

        Returns:
            The token that alone leads to the note.
        """
        return await self._ask(calls.disagree(report, wished, comment, text, consent=consent))

    async def propose(self, kind: Kind, name: str, *, consent: Literal[True], url: str = "", about: str = "") -> str:
        """Leave word that the catalogue lacks something; gives the token that alone leads to the note."""
        return await self._ask(calls.propose(kind, name, url, about, consent=consent))

    async def note(self, token: str) -> NoteOut:
        """Read a note."""
        return await self._ask(calls.note(token))

    async def delete_note(self, token: str) -> None:
        """Delete a note for good."""
        await self._ask(calls.delete_note(token))

    # --- the service itself ---

    async def ready(self) -> bool:
        """Tell at once whether the service can check."""
        try:
            calls.ready().answer(await self._send(calls.ready()))
        except (httpx.TransportError, ServiceTrouble):
            return False
        return True

    async def info(self) -> dict[str, Any]:
        """Tell versions, the catalogue's counts, the model, the index and the service's limits."""
        return await self._ask(calls.info())

    async def _ask(self, call: Call[T]) -> T:
        """Send until there is an answer, or no more attempt."""
        patience, attempt = self._setup.patience, 0
        while True:
            try:
                response = await self._send(call)
            except httpx.TransportError as error:
                wait_s = patience.after_silence(attempt, error, call)
                if wait_s is None:
                    raise self._setup.unreachable(error) from error
            else:
                wait_s = patience.after_answer(attempt, response)
                if wait_s is None:
                    return call.answer(response)
            await asyncio.sleep(wait_s)
            attempt += 1

    async def _send(self, call: Call[object]) -> httpx.Response:
        return await self._http.request(
            call.method, call.path, params=call.params, content=call.content(), headers=call.headers()
        )
