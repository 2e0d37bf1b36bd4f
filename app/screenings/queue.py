"""Hands out what waits and takes in what came of it; any number of workers may ask, and any may be killed."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, func, insert, or_, select, update

from app.screenings import outbox
from app.screenings.entry import Claim, Counts, Outcome, entry_of, plain, result_of, row_of
from app.screenings.tables import ITEMS, MESSAGES, RESULTS, SCREENINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Engine

    from app.screenings.entry import Entry

What = Literal["texts", "links"]

ATTEMPTS = 8
"""Workers that may end over one text before it is given up: it may be the text that ends them."""
ALONE_AFTER = 2
"""Attempts after which a text is judged alone, so that its neighbours don't fall with it."""
GIVEN_UP = f"Its worker ended {ATTEMPTS} times while it was judged. Check the text alone, or shorten it."
LONGEST_LEASE_S = 3_600.0
MOST_BEHIND_LINKS = 10_000
"""Projects of one screening, those behind links included."""


class Queue:
    """A worker's side of the database."""

    def __init__(
        self, engine: Engine, now: Callable[[], float] = time.time, longest_lease_s: float = LONGEST_LEASE_S
    ) -> None:
        """Take an engine that is migrated; no lease is given for longer than ``longest_lease_s``."""
        self._engine, self._now, self._longest_lease_s = engine, now, longest_lease_s
        self._reading = engine.execution_options(reads=True)

    def waiting(self, what: What = "texts") -> bool:
        """Tell whether there is something to do, without taking the writer's lock."""
        with self._reading.connect() as c:
            asked = select(ITEMS.c.number).join(SCREENINGS, self._running()).where(self._free(), _is(what))
            return c.execute(asked.limit(1)).first() is not None

    def _free(self) -> ColumnElement[bool]:
        now = self._now()
        # A lease that ends later than any that is given now is from before the clock was set back: who waited for its
        # end might wait for hours.
        over = or_(ITEMS.c.lease_until < now, ITEMS.c.lease_until > now + self._longest_lease_s)
        return or_(ITEMS.c.state == "waiting", and_(ITEMS.c.state == "held", over))

    def _running(self) -> ColumnElement[bool]:
        going = and_(SCREENINGS.c.state == "running", SCREENINGS.c.expires > self._now())
        return and_(SCREENINGS.c.id == ITEMS.c.screening, going)

    def claim(self, most: int, lease_s: float, what: What = "texts") -> Claim | None:
        """Hold the next of one screening for ``lease_s`` seconds; None where nothing is to do."""
        now, lease = self._now(), uuid.uuid4().hex
        with self._engine.begin() as c:
            asked = (
                select(ITEMS, SCREENINGS.c.suggest)
                .join(SCREENINGS, self._running())
                .where(self._free(), _is(what))
                .order_by(ITEMS.c.attempts >= ALONE_AFTER, SCREENINGS.c.created, ITEMS.c.screening, ITEMS.c.number)
                .limit(most)
                .with_for_update(of=ITEMS, skip_locked=True)
            )
            rows = c.execute(asked).all()
            if not rows:
                return None
            first = rows[0]
            group = [r for r in rows if r.screening == first.screening and r.attempts < ALONE_AFTER] or [first]
            c.execute(
                update(ITEMS)
                .where(ITEMS.c.screening == first.screening, ITEMS.c.number.in_([r.number for r in group]))
                .values(state="held", lease=lease, lease_until=now + lease_s, attempts=ITEMS.c.attempts + 1)
            )
        claim = Claim(first.screening, lease, bool(first.suggest), tuple((r.number, entry_of(r)) for r in group))
        if first.attempts >= ATTEMPTS:
            self.complete(claim, [Outcome(first.number, error=GIVEN_UP)])
            return self.claim(most, lease_s, what)
        return claim

    def complete(self, claim: Claim, outcomes: Sequence[Outcome]) -> int:
        """Store what came out, each once: what another worker has taken over meanwhile is left to it.

        Returns:
            How many were stored.
        """
        with self._engine.begin() as c:
            row = _held(c, claim)
            if row is None:
                return 0
            ours = [o for o in outcomes if _hand_in(c, claim, o.number, {"state": "done"})]
            _store(c, row, ours, row.total, self._now())
        return len(ours)

    def give_back(self, claim: Claim) -> int:
        """Let go of what of a claim was not handed in, as if it had never been taken.

        Returns:
            How many that were.
        """
        mine = and_(ITEMS.c.screening == claim.screening, ITEMS.c.lease == claim.lease, ITEMS.c.state == "held")
        free = {"state": "waiting", "lease": "", "lease_until": 0.0, "attempts": ITEMS.c.attempts - 1}
        with self._engine.begin() as c:
            return c.execute(update(ITEMS).where(mine).values(**free)).rowcount

    def counts(self) -> Counts:
        """Count what there is, for who watches the service; without taking the writer's lock."""
        with self._reading.connect() as c:
            jobs = select(SCREENINGS.c.state, func.count()).group_by(SCREENINGS.c.state)
            items = (
                select(ITEMS.c.state, func.count(), func.min(SCREENINGS.c.created))
                .join(SCREENINGS, self._running())
                .where(ITEMS.c.state.in_(["waiting", "held"]))
                .group_by(ITEMS.c.state)
            )
            by_state = c.execute(items).all()
            messages = select(func.count()).select_from(MESSAGES).where(MESSAGES.c.state == "waiting")
            return Counts(
                jobs={row.state: row[1] for row in c.execute(jobs)},
                items={state: count for state, count, _ in by_state},
                oldest_s=max((self._now() - created for _, _, created in by_state), default=0.0),
                messages=c.execute(messages).scalar_one(),
            )

    def unfold(self, claim: Claim, found: Mapping[int, Sequence[Entry]]) -> int:
        """Put what stands behind links into the queue: the first project in the link's place, others at the end.

        Args:
            found: number of the link to what was found there, at least one entry, with a text or an error.

        Returns:
            How many links were ours to unfold.
        """
        with self._engine.begin() as c:
            row = _held(c, claim)
            if row is None:
                return 0
            failed: list[Outcome] = []
            more: list[Entry] = []
            count = 0
            for number, (first, *others) in found.items():
                if _hand_in(c, claim, number, _read(first)):
                    count += 1
                    more += others
                    failed += [Outcome(number, error=first.error)] if first.error else []
            more = more[: max(0, MOST_BEHIND_LINKS - row.total)]
            numbered = list(enumerate(more, start=row.total + 1))
            if more:
                c.execute(insert(ITEMS), [row_of(row.id, n, one) for n, one in numbered])
            failed += [Outcome(n, error=one.error) for n, one in numbered if one.error]
            _store(c, row, failed, row.total + len(more), self._now())
        return count


def _is(what: What) -> ColumnElement[bool]:
    link = and_(ITEMS.c.link != "", ITEMS.c.text == "")
    return link if what == "links" else ~link


def _held(c: Connection, claim: Claim) -> Any:
    """Hold the screening's row to the end, so that places are given in the order in which they are seen."""
    return c.execute(
        select(SCREENINGS)
        .where(SCREENINGS.c.id == claim.screening, SCREENINGS.c.state.in_(["running", "paused"]))
        .with_for_update()
    ).first()


def _hand_in(c: Connection, claim: Claim, number: int, values: Mapping[str, Any]) -> bool:
    """Give an item back, changed; False if it isn't this claim's any more."""
    mine = and_(ITEMS.c.screening == claim.screening, ITEMS.c.number == number, ITEMS.c.lease == claim.lease)
    return c.execute(update(ITEMS).where(mine, ITEMS.c.state == "held").values(**values)).rowcount == 1


def _read(one: Entry) -> dict[str, Any]:
    row = row_of("", 0, replace(one, text=one.text or " "))  # never empty again, lest it be followed again
    return {name: row[name] for name in row if name not in ("screening", "number", "candidate")} | (
        {"candidate": plain(one.candidate)} if one.candidate else {}
    )


def _store(c: Connection, row: Any, outcomes: Sequence[Outcome], total: int, now: float) -> None:
    if outcomes:
        c.execute(insert(RESULTS), [result_of(row.id, row.done + n, o) for n, o in enumerate(outcomes, start=1)])
    done, failed = row.done + len(outcomes), row.failed + sum(1 for o in outcomes if o.error)
    values = {"done": done, "failed": failed, "total": total, "state": "done" if done == total else row.state}
    c.execute(update(SCREENINGS).where(SCREENINGS.c.id == row.id).values(**values))
    if done == total:
        outbox.put(c, row, values, now)
