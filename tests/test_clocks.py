"""Clocks that jump: nothing is deleted, stuck or done twice; durations hang on no clock that can be set."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import app
from app import keys
from app.errors import AccessDenied, ScreeningMissing
from app.screenings.clock import BELIEVED_AFTER_S, TOLERATED_S, SteadyClock, machine_s
from app.screenings.database import open_engine
from app.screenings.desk import Books
from app.screenings.entry import Entry, Order, Outcome
from app.screenings.outbox import HELD_S, PAUSES_S, Outbox
from app.screenings.queue import Queue
from app.screenings.store import DAY_S, Store
from app.shares import Shares, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Iterator
DAYS = 30
LEASE_S = 120.0
ALLOWED = {
    "admission.py": "the catalogue's date",
    "backup.py": "the moment that a backup names",
    "feedback.py": "the day of a note",
    "fetch/cache.py": "the age of files; a page that is dropped too early is fetched again",
    "harvest/links.py": "the day on which a link was seen",
    "harvest/page.py": "likewise",
    "keys.py": "a key's last day",
    "learning/fit.py": "the date of the judge",
    "screenings/clock.py": "what the clock is made of",
    "screenings/outbox.py": "the form of a moment that it is given",
    "screenings/queue.py": "the clock of tests; the service gives its own",
    "screenings/store.py": "likewise",
    "screenings/webhooks.py": "the moment that the receiver compares with its own clock",
    "shares.py": "the library that counts requests goes by it; see _follow_clock",
    "wire.py": "a Retry-After that is given as a date",
}
"""Rooms that may ask the wall clock, each with what for: whatever is measured or waited for goes by the machine's."""


class Machine:
    """A clock that can be set, and the time that the machine runs, which can't."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.wall, self.ran = 1_800_000_000.0, 50_000.0

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += seconds
        self.ran += seconds

    def clock(self) -> SteadyClock:
        """Give the clock that the service goes by."""
        return SteadyClock(lambda: self.wall, lambda: self.ran)


@pytest.fixture
def machine() -> Machine:
    """Give a machine whose clock can be set."""
    return Machine()


@pytest.fixture
def books(tmp_path: Path, machine: Machine) -> Iterator[Books]:
    """Give an empty database that goes by it."""
    engine = open_engine(f"sqlite:///{tmp_path}/s.db")
    now = machine.clock()
    yield Books(engine, Store(engine, DAYS, now), Queue(engine, now, LEASE_S), Outbox(engine, now))
    engine.dispose()


def two(books: Books, **more: str) -> str:
    """Take on two projects."""
    return books.store.create("ann", Order((Entry("a", "one"), Entry("b", "two")), **more))  # type: ignore[arg-type]


def test_only_these_rooms_ask_the_wall_clock() -> None:
    """A room that is not on the list measures and waits by a clock that nobody can set."""
    root = Path(app.__file__).parent
    asks = re.compile(r"\btime\.time\b|datetime\.now\(|\.utcnow\(|\.today\(|fromtimestamp\(")
    found = {str(p.relative_to(root)) for p in root.rglob("*.py") if asks.search(p.read_text(encoding="utf-8"))}
    assert found == set(ALLOWED)


def test_time_that_passes_is_told(machine: Machine) -> None:
    """Where nobody sets the clock it is the wall clock, however seldom it is asked; also where it is set a bit."""
    clock = machine.clock()
    for seconds in (0.1, 3_000.0, 90 * DAY_S):
        machine.run(seconds)
        assert clock() == machine.wall
    machine.wall += TOLERATED_S - 1
    assert clock() == machine.wall
    machine.wall -= 5 * DAY_S
    assert clock() == machine.wall


def test_the_real_clock_goes_on() -> None:
    """The two clocks of this machine agree on a moment's length."""
    clock, began, ran = SteadyClock(), time.time(), machine_s()
    time.sleep(0.05)
    assert clock() - began == pytest.approx(machine_s() - ran, abs=0.04)


def test_a_jump_ahead_is_believed_when_it_has_lasted(machine: Machine) -> None:
    """Meanwhile time goes on as it did; a clock that is set right again leaves no trace."""
    clock, right = machine.clock(), machine.wall
    machine.wall += 60 * DAY_S
    assert clock() == right
    machine.run(1_000.0)
    assert clock() == right + 1_000
    machine.wall -= 60 * DAY_S
    assert clock() == machine.wall == right + 1_000
    machine.wall += 60 * DAY_S
    clock()
    machine.run(BELIEVED_AFTER_S - 1)
    assert clock() == right + 1_000 + BELIEVED_AFTER_S - 1
    machine.run(1)
    assert clock() == machine.wall
    machine.run(5)
    assert clock() == machine.wall


def test_a_clock_that_is_wrong_for_a_while_deletes_nothing(books: Books, machine: Machine) -> None:
    """Two months ahead everything is still there, shown and worked on; when it is right again, nothing was lost."""
    name = two(books)
    machine.wall += 60 * DAY_S
    assert books.store.purge() == 0
    assert books.store.show("ann", name)["state"] == "running"
    claim = books.queue.claim(16, LEASE_S)
    assert claim is not None
    assert books.queue.complete(claim, [Outcome(n, "original", "{}") for n, _ in claim.entries]) == 2
    machine.wall -= 60 * DAY_S
    assert books.store.show("ann", name)["state"] == "done"
    assert len(books.store.results("ann", name)) == 2
    for _ in range(2):
        machine.run(DAYS * DAY_S / 2)
        purged = books.store.purge()
    assert purged == 1
    with pytest.raises(ScreeningMissing):
        books.store.show("ann", name)


@pytest.mark.parametrize("jump", [-7 * DAY_S, -3_600.0, 3_000.0, 7 * DAY_S])
def test_a_jump_leaves_no_text_with_a_killed_worker(books: Books, machine: Machine, jump: float) -> None:
    """Whichever way the clock goes, what a killed worker held is taken over a lease later, and stored once."""
    name = two(books)
    lost = books.queue.claim(16, LEASE_S)
    assert lost is not None
    machine.wall += jump
    machine.run(LEASE_S + 1)
    assert books.queue.waiting()
    again = books.queue.claim(16, LEASE_S)
    assert again is not None
    assert again.entries == lost.entries
    assert books.queue.complete(lost, [Outcome(1, "original", "{}")]) == 0
    assert books.queue.complete(again, [Outcome(n, "original", "{}") for n, _ in again.entries]) == 2
    assert books.store.show("ann", name)["state"] == "done"


def test_a_short_step_back_leaves_a_live_worker_its_texts(books: Books, machine: Machine) -> None:
    """A second that a time server takes back ends no lease."""
    two(books)
    assert books.queue.claim(16, LEASE_S) is not None
    machine.wall -= 1.0
    machine.run(1.5)
    assert not books.queue.waiting()


@pytest.mark.parametrize("attempts", [0, 3])
def test_a_message_is_sent_though_the_clock_went_back(books: Books, machine: Machine, attempts: int) -> None:
    """One that is due a month from now, as none can be, is sent; one that waits for its next attempt still waits."""
    two(books, webhook="https://a.example/hook", webhook_secret="whsec_" + "A" * 40)
    while claim := books.queue.claim(16, LEASE_S):
        books.queue.complete(claim, [Outcome(n, "original", "{}") for n, _ in claim.entries])
    for made in range(attempts):
        message = books.outbox.take()
        assert message is not None
        books.outbox.note(message, "away")
        assert books.outbox.take() is None
        machine.run(PAUSES_S[made])
    machine.wall -= 30 * DAY_S
    message = books.outbox.take()
    assert message is not None
    assert message.attempts == attempts
    assert books.outbox.take() is None
    machine.run(HELD_S + 1)
    assert books.outbox.take() is not None


def test_a_key_ends_by_the_calendar(tmp_path: Path) -> None:
    """Set ahead it is refused, with what to do; set right again it opens as before: nothing of it was changed."""
    file, day = tmp_path / "keys.json", dt.date(2027, 1, 31)
    key = keys.add(file, "hr", keys.rights(["check"]), day.isoformat())
    before = file.read_bytes()
    for today, opens in ((day, True), (day + dt.timedelta(days=400), False), (day - dt.timedelta(days=400), True)):
        if opens:
            assert keys.identify(keys.load(file), key, today).name == "hr"
        else:
            with pytest.raises(AccessDenied, match="needs a valid key"):
                keys.identify(keys.load(file), key, today)
    assert file.read_bytes() == before


def test_a_clock_that_goes_back_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who had used a share of a minute up would wait until the clock is there again: it is counted anew."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    shares = Shares()
    for left in (1, 0):
        assert shares.take("ann", 2)["RateLimit"] == f'"requests";r={left};t=60'
    with pytest.raises(TooManyRequests, match="Try again in 60 seconds"):
        shares.take("ann", 2)
    for jump in (-DAY_S, DAY_S):
        now[0] += jump
        assert shares.take("ann", 2)["RateLimit"] == '"requests";r=1;t=60'
    now[0] -= 0.5  # what a time server takes back now and then frees nobody
    shares.take("ann", 2)
    with pytest.raises(TooManyRequests):
        shares.take("ann", 2)
