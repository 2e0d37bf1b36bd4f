"""The client for programs that wait for each answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import httpx

from app.client import calls, jobs
from app.client.errors import RequestRejected, ServiceTrouble
from app.client.patience import Patience
from app.client.setup import DEFAULT_URL, Setup
from app.contract import MAX_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
    from app.screenings.bodies import OverrideOut, PairsOut, ProjectIn, ResultOut, ResultsOut, ScreeningOut, WebhookIn

T = TypeVar("T")


class Client:
    """A service, asked call by call; its connections are kept. Threads may share it."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str = "",
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
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
        self._http = httpx.Client(transport=transport, **self._setup.options())

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # --- checks ---

    def check(
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
        return self._ask(calls.check(text, id, title, language, about, collections))

    def suggestions(self, text: str, *, about: AboutIn | None = None) -> list[Suggestion]:
        """Tell what would make a project the author's own: the suggestions of its report."""
        return self.check(text, about=about).suggestions

    def batch(self, items: Iterable[CheckIn | str]) -> list[Report | ItemFailed]:
        """Judge up to 100 texts in one request, in order; one that can't be judged has its error in its place."""
        return self._ask(calls.batch(items))

    def check_all(self, items: Iterable[CheckIn | str]) -> Iterator[Report | ItemFailed]:
        """Judge any number of texts, in order, in as many requests as it takes; items are read as they are needed."""
        for part in calls.together(items):
            try:
                yield from self.batch(part)
            except RequestRejected as refused:
                if len(part) > 1:
                    raise
                yield calls.failed(part[0], refused)

    # --- the catalogue ---

    def search(
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
        return self._ask(calls.search(query, k, kind, modality, task, tier))

    def catalogue(self, kind: Kind | None = None, *, offset: int = 0, limit: int = 100) -> CataloguePage:
        """List what is known, a page in the order of ids."""
        return self._ask(calls.catalogue(kind, offset, limit))

    def entries(self, kind: Kind | None = None) -> Iterator[EntrySummary]:
        """List all that is known, page after page."""
        seen = 0
        while (page := self.catalogue(kind, offset=seen, limit=MAX_PAGE)).items:
            yield from page.items
            seen += len(page.items)

    def entry(self, id: str) -> AnyEntry:  # noqa: A002
        """Show all that is known of one entry."""
        return self._ask(calls.entry(id))

    # --- screenings: many projects as a job ---

    def screen(
        self,
        items: Iterable[ProjectIn],
        *,
        title: str = "",
        suggest: bool = False,
        fetch: bool = False,
        webhook: WebhookIn | None = None,
        once: str = "",
    ) -> ScreeningOut:
        """Hand up to 10,000 projects in; they are judged in the background.

        Args:
            title: your own name for the screening.
            suggest: also suggest ways forward, which takes several times as long.
            fetch: follow the items' addresses; public ones alone are asked.
            webhook: who is told the end.
            once: a name of yours under which this is taken on at most once, however often it is sent; without one the
                attempts of this call alone are kept from being taken on twice.
        """
        return self._ask(jobs.screen(items, title, webhook, once, suggest=suggest, fetch=fetch))

    def screen_file(
        self,
        name: str,
        content: bytes,
        *,
        title: str = "",
        columns: str = "",
        suggest: bool = False,
        fetch: bool = False,
        webhook: WebhookIn | None = None,
        once: str = "",
    ) -> ScreeningOut:
        """Hand a file of projects in: a table, an archive, a document, a list of links.

        Args:
            name: of the file; its end tells its kind.
            columns: which columns a table has, such as ``text=README,id=NUMBER``; guessed if not given.
            title, suggest, fetch, webhook, once: as for ``screen``.
        """
        call = jobs.screen_file(name, content, title, columns, webhook, once, suggest=suggest, fetch=fetch)
        return self._ask(call)

    def screenings(self) -> list[ScreeningOut]:
        """List this key's screenings, newest first."""
        return self._ask(jobs.screenings())

    def screening(self, id: str) -> ScreeningOut:  # noqa: A002
        """Tell how far a screening is."""
        return self._ask(jobs.screening(id))

    def follow(self, id: str) -> Iterator[ScreeningOut]:  # noqa: A002
        """Tell how far a screening is, each time that it gets further, until it has ended; one that is paused hasn't.

        A connection that breaks is taken up again.
        """
        call, patience, attempt = jobs.events(id), self._setup.patience, 0
        now: ScreeningOut | None = None
        while now is None or now.state not in jobs.ENDED:
            try:
                with self._http.stream(**call.sent()) as response:
                    if response.is_success:
                        for line in response.iter_lines():
                            told = jobs.told(line)
                            if told is not None:
                                attempt = 0
                            if told not in (None, now):
                                now = told
                                yield now
                        if attempt + 1 >= patience.attempts:
                            raise jobs.mute()
                        pause_s = jobs.POLL_S
                    else:
                        response.read()
                        if (again_s := patience.after_answer(attempt, response)) is None:
                            raise calls.fault(response)
                        pause_s = again_s
            except httpx.TransportError as error:
                if (again_s := patience.after_silence(attempt, error, call)) is None:
                    raise self._setup.unreachable(error) from error
                pause_s = again_s
            if now is None or now.state not in jobs.ENDED:
                time.sleep(pause_s)
                attempt += 1

    def results(self, id: str, after: int = 0, *, limit: int = 100, reveal: bool = False) -> ResultsOut:  # noqa: A002
        """Give a page of results in the order of judging.

        Args:
            after: the ``next`` of the page before.
            reveal: show names, addresses and links.
        """
        return self._ask(jobs.results(id, after, limit, reveal=reveal))

    def all_results(self, id: str, *, reveal: bool = False) -> Iterator[ResultOut]:  # noqa: A002
        """Give all results, and wait for those to come, until the screening has ended."""
        after, more = 0, True
        while more:
            page = self.results(id, after, limit=MAX_PAGE, reveal=reveal)
            yield from page.results
            after, more = page.next, page.more
            if more and not page.results:
                time.sleep(jobs.POLL_S)

    def export(self, id: str, kind: jobs.Kind, *, reveal: bool = False) -> bytes:  # noqa: A002
        """Give all results so far as one file."""
        return self._ask(jobs.export(id, kind, reveal=reveal))

    def pause(self, id: str) -> ScreeningOut:  # noqa: A002
        """Stop a screening for a while."""
        return self._ask(jobs.move(id, "pause"))

    def resume(self, id: str) -> ScreeningOut:  # noqa: A002
        """Go on with a screening that is paused."""
        return self._ask(jobs.move(id, "resume"))

    def cancel(self, id: str) -> ScreeningOut:  # noqa: A002
        """End a screening; its results so far stay."""
        return self._ask(jobs.move(id, "cancel"))

    def override(self, id: str, number: int, verdict: VerdictLabel, reason: str) -> None:  # noqa: A002
        """Put a person's verdict beside a judged one; ``number`` is the result's."""
        self._ask(jobs.override(id, number, verdict, reason))

    def overrides(self, id: str) -> list[OverrideOut]:  # noqa: A002
        """Give the log of overrides, oldest first."""
        return self._ask(jobs.overrides(id))

    def pairs(self, id: str, *, reveal: bool = False) -> PairsOut:  # noqa: A002
        """Give near-identical projects of different candidates, and what many candidates were given."""
        return self._ask(jobs.pairs(id, reveal=reveal))

    def delete_screening(self, id: str) -> None:  # noqa: A002
        """Delete a screening with its texts, reports and overrides."""
        self._ask(jobs.delete(id))

    # --- collections of one's own; they need a key ---

    def collections(self) -> list[CollectionOut]:
        """List the collections that the key may read."""
        return self._ask(calls.collections())

    def search_collection(self, name: str, query: str, k: int = 10) -> list[Neighbour]:
        """Find the rows of a collection that are nearest to a description, best first."""
        return self._ask(calls.search_collection(name, query, k))

    def rows(self, name: str, *, offset: int = 0, limit: int = 100) -> RowsOut:
        """Give a collection's rows, a page in the order of their adding."""
        return self._ask(calls.rows(name, offset, limit))

    def all_rows(self, name: str) -> Iterator[Row]:
        """Give all rows of a collection, page after page."""
        seen = 0
        while (page := self.rows(name, offset=seen, limit=MAX_PAGE)).rows:
            yield from page.rows
            seen += len(page.rows)

    def add_rows(self, name: str, rows: Iterable[RowIn]) -> CollectionOut:
        """Add up to 1,000 rows to a collection, which is made if there is none; all are added, or none."""
        return self._ask(calls.add_rows(name, rows))

    def remove_row(self, name: str, row: str) -> CollectionOut:
        """Remove one row by its id."""
        return self._ask(calls.remove_row(name, row))

    def drop_collection(self, name: str) -> None:
        """Delete a collection with all its versions."""
        self._ask(calls.drop_collection(name))

    # --- what readers say back ---

    def disagree(
        self, report: Report, wished: VerdictLabel, *, consent: Literal[True], comment: str = "", text: str = ""
    ) -> str:
        """Leave word that a verdict is seen otherwise.

        Args:
            consent: whoever says this allows that it be kept; without that nothing is.
            text: what was judged, where its author allows that it be kept, too.

        Returns:
            The token that alone leads to the note.
        """
        return self._ask(calls.disagree(report, wished, comment, text, consent=consent))

    def propose(self, kind: Kind, name: str, *, consent: Literal[True], url: str = "", about: str = "") -> str:
        """Leave word that the catalogue lacks something; gives the token that alone leads to the note."""
        return self._ask(calls.propose(kind, name, url, about, consent=consent))

    def note(self, token: str) -> NoteOut:
        """Read a note."""
        return self._ask(calls.note(token))

    def delete_note(self, token: str) -> None:
        """Delete a note for good."""
        self._ask(calls.delete_note(token))

    # --- the service itself ---

    def ready(self) -> bool:
        """Tell at once whether the service can check."""
        try:
            calls.ready().answer(self._send(calls.ready()))
        except (httpx.TransportError, ServiceTrouble):
            return False
        return True

    def info(self) -> dict[str, Any]:
        """Tell versions, the catalogue's counts, the model, the index and the service's limits."""
        return self._ask(calls.info())

    def _ask(self, call: Call[T]) -> T:
        """Send until there is an answer, or no more attempt."""
        patience, attempt = self._setup.patience, 0
        while True:
            try:
                response = self._send(call)
            except httpx.TransportError as error:
                wait_s = patience.after_silence(attempt, error, call)
                if wait_s is None:
                    raise self._setup.unreachable(error) from error
            else:
                wait_s = patience.after_answer(attempt, response)
                if wait_s is None:
                    return call.answer(response)
            time.sleep(wait_s)
            attempt += 1

    def _send(self, call: Call[object]) -> httpx.Response:
        return self._http.request(**call.sent())
