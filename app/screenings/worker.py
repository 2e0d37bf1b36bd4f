"""Judges the texts of screenings and follows their links; any number of workers may share a database."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from app.checker import GROUP, Submission
from app.errors import OriginalityError
from app.render import to_json
from app.report import Notice, Report
from app.screenings import received
from app.screenings.entry import LINKS_LEASES, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.checker import Checker
    from app.screenings.desk import Desk
    from app.screenings.entry import Claim, Entry
    from app.screenings.queue import Queue
    from app.settings import Fetching

IDLE_S = 1.0
"""How long a worker with nothing to do waits before it looks again."""
AT_A_TIME = 4
"""Texts of a group that are handed in together: what a service that is told to end still judges, some seconds."""
LINKS = 8
"""Links that are followed in one go."""
UNFORESEEN = "Something went wrong in the service while it was judged; the text may be fine. Check it alone."

_log = logging.getLogger(__name__)


def judge_some(queue: Queue, checker: Checker, lease_s: float, ending: Callable[[], bool] = lambda: False) -> int:
    """Judge one group; where the service is ending, the rest of it is given back, and another worker takes it at once.

    Returns:
        How many texts were taken; 0 where nothing is to do.
    """
    claim = queue.claim(GROUP, lease_s)
    if claim is None:
        return 0
    for start in range(0, len(claim.entries), AT_A_TIME):
        if ending():
            queue.give_back(claim)
            break
        queue.complete(claim, _judged(checker, replace(claim, entries=claim.entries[start : start + AT_A_TIME])))
    return len(claim.entries)


def follow_some(queue: Queue, fetching: Fetching, lease_s: float) -> int:
    """Follow some links; what stands behind them is judged in its turn.

    Returns:
        How many links were taken; 0 where nothing is to do.
    """
    claim = queue.claim(LINKS, LINKS_LEASES * lease_s, "links")
    if claim is None:
        return 0
    from app.fetch import follow  # noqa: PLC0415  only links need the web

    own = replace(fetching, cache_dir=None)  # what is deleted must not stay in a cache
    found = {n: received.behind(e, follow([received.asked(e)], own)) for n, e in claim.entries}
    queue.unfold(claim, found)
    return len(claim.entries)


def work(desk: Desk, checker: Checker, fetching: Fetching) -> None:
    """Judge and follow until the process is ended."""
    books, lease_s = desk.open(), desk.lease_s
    while True:
        judged = judge_some(books.queue, checker, lease_s)
        followed = follow_some(books.queue, fetching, lease_s)
        if not judged and not followed:
            books.store.purge()
            time.sleep(IDLE_S)


def _judged(checker: Checker, claim: Claim) -> list[Outcome]:
    entries = [entry for _, entry in claim.entries]
    try:
        results = _check(checker, entries, suggest=claim.suggest)
    except Exception as error:  # noqa: BLE001  one text that nobody foresaw must not stop its group
        _log.warning("group judged one by one", extra={"kind": type(error).__name__})
        results = [_alone(checker, entry, suggest=claim.suggest) for entry in entries]
    return [_outcome(number, entry, result) for (number, entry), result in zip(claim.entries, results, strict=True)]


def _check(checker: Checker, entries: Sequence[Entry], *, suggest: bool) -> list[Report | OriginalityError]:
    asked = [Submission(text=e.text, id=e.name, title=e.title) for e in entries]
    return checker.check_many(asked, advise=suggest)


def _alone(checker: Checker, entry: Entry, *, suggest: bool) -> Report | OriginalityError:
    try:
        return _check(checker, [entry], suggest=suggest)[0]
    except Exception as error:  # noqa: BLE001  one fault must not end the work for all the rest
        _log.exception("text not judged", extra={"kind": type(error).__name__})
        return OriginalityError(UNFORESEEN)


def _outcome(number: int, entry: Entry, result: Report | OriginalityError) -> Outcome:
    if not isinstance(result, Report):
        return Outcome(number, error=str(result))
    said = [Notice(code=n.code, message=n.message) for n in entry.notices]
    whole = result.model_copy(update={"warnings": [*result.warnings, *said]}) if said else result
    return Outcome(number, whole.verdict, to_json(whole), probability=whole.flag_probability)
