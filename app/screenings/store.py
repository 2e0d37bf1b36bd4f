"""Keeps screenings: every step is one transaction, so that a process may end between any two of its instructions."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.errors import BadInput, ScreeningEnded, ScreeningMissing
from app.screenings import outbox
from app.screenings.database import BUSY_MS
from app.screenings.entry import MISSING, Outcome, notices_as_text, plain, result_of, row_of
from app.screenings.tables import ITEMS, MESSAGES, OVERRIDES, REQUESTS, RESULTS, SCREENINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

    from app.screenings.entry import Order

DAY_S = 86_400
MOVES = {
    "pause": (("running",), "paused"),
    "resume": (("paused",), "running"),
    "cancel": (("running", "paused"), "cancelled"),
}
SETTLE_MS = 1_000
"""How long to wait for readers before a deletion is left in SQLite's log for the next attempt; writers wait as well."""


class Store:
    """The side of those who screen: each owner sees their own screenings alone."""

    def __init__(self, engine: Engine, days: float, now: Callable[[], float] = time.time) -> None:
        """Take an engine that is migrated; ``days`` is how long a screening is kept."""
        self._engine, self._days, self._now = engine, days, now
        self._reading = engine.execution_options(reads=True)
        self._owed = engine.dialect.name == "sqlite"  # an earlier process may have left something
        self._settling = threading.Lock()

    def create(self, owner: str, order: Order) -> str:
        """Take a screening on; one that was made with the same key and body is given again.

        Raises:
            BadInput: if there is no entry, or the key was used for another body.
        """
        if not order.entries:
            raise BadInput("There is no project in it. Send at least one text.")
        self.purge()
        if order.key and (known := self._requested(owner, order.key, order.body)):
            return known
        try:
            return self._insert(owner, order)
        except IntegrityError:
            # Somebody sent the same at the same time and was first.
            if order.key and (known := self._requested(owner, order.key, order.body)):
                return known
            raise

    def _insert(self, owner: str, order: Order) -> str:
        name, now = uuid.uuid4().hex, self._now()
        numbered = list(enumerate(order.entries, start=1))
        broken = [Outcome(n, error=one.error) for n, one in numbered if one.error]
        row = {
            "id": name,
            "owner": owner,
            "state": "done" if len(broken) == len(numbered) else "running",
            "title": plain(order.title),
            "suggest": int(order.suggest),
            "fetch": int(order.fetch),
            "notices": notices_as_text(order.notices),
            "webhook": order.webhook,
            "webhook_secret": order.webhook_secret,
            "total": len(numbered),
            "done": len(broken),
            "failed": len(broken),
            "created": now,
            "expires": now + self._days * DAY_S,
        }
        with self._engine.begin() as c:
            c.execute(insert(SCREENINGS).values(**row))
            if order.key:
                c.execute(insert(REQUESTS).values(owner=owner, key=order.key, body=order.body, screening=name))
            c.execute(insert(ITEMS), [row_of(name, n, one) for n, one in numbered])
            if broken:
                c.execute(insert(RESULTS), [result_of(name, n, one) for n, one in enumerate(broken, start=1)])
            if row["state"] == "done":
                outbox.put(c, self._own(c, owner, name), row, now)
        return name

    def _requested(self, owner: str, key: str, body: str) -> str:
        with self._reading.connect() as c:
            row = c.execute(select(REQUESTS).where(REQUESTS.c.owner == owner, REQUESTS.c.key == key)).first()
        if row is None:
            return ""
        if row.body != body:
            raise BadInput("This Idempotency-Key was used for another body. Send each screening with a key of its own.")
        return str(row.screening)

    def show(self, owner: str, name: str) -> dict[str, Any]:
        """Tell how far a screening is.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
        """
        with self._reading.connect() as c:
            return dict(self._own(c, owner, name)._mapping)

    def all_of(self, owner: str) -> list[dict[str, Any]]:
        """Give the owner's screenings, newest first."""
        asked = select(SCREENINGS).where(SCREENINGS.c.owner == owner, SCREENINGS.c.expires > self._now())
        with self._reading.connect() as c:
            return [dict(r._mapping) for r in c.execute(asked.order_by(SCREENINGS.c.created.desc()))]

    def _own(self, c: Connection, owner: str, name: str, *, lock: bool = False) -> Any:
        asked = select(SCREENINGS).where(
            SCREENINGS.c.id == name, SCREENINGS.c.owner == owner, SCREENINGS.c.expires > self._now()
        )
        row = c.execute(asked.with_for_update() if lock else asked).first()
        if row is None:
            raise ScreeningMissing(MISSING)
        return row

    def move(self, owner: str, name: str, how: str) -> dict[str, Any]:
        """Pause, resume or cancel; what a worker holds at that moment is still finished on a pause.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
            ScreeningEnded: if its state doesn't allow it.
        """
        before, after = MOVES[how]
        with self._engine.begin() as c:
            row = self._own(c, owner, name, lock=True)
            if row.state not in (*before, after):
                raise ScreeningEnded(f"The screening is {row.state}: {how} is for one that is {' or '.join(before)}.")
            c.execute(update(SCREENINGS).where(SCREENINGS.c.id == name).values(state=after))
            if row.state != after and after == "cancelled":
                outbox.put(c, row, {"state": after}, self._now())
        return self.show(owner, name)

    def delete(self, owner: str, name: str) -> None:
        """Remove a screening with its texts, reports, overrides, messages and request.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
        """
        with self._engine.begin() as c:
            self._own(c, owner, name, lock=True)
            _remove(c, [name])
        self._owe()

    def purge(self) -> int:
        """Remove what is past its retention, and tell how many screenings that were."""
        self.settle()
        past = SCREENINGS.c.expires <= self._now()
        with self._reading.connect() as c:
            if c.execute(select(SCREENINGS.c.id).where(past).limit(1)).first() is None:
                return 0
        with self._engine.begin() as c:
            old = list(c.scalars(select(SCREENINGS.c.id).where(past).with_for_update()))
            _remove(c, old)
        self._owe()
        return len(old)

    def settle(self) -> bool:
        """Carry deletions out of SQLite's log, where the old pages would stay readable.

        A reader that is at work needs the log: it is then left for the next attempt. A new process owes one, too.

        Returns:
            Whether nothing of what was deleted is left.
        """
        with self._settling:
            if self._owed:
                self._owed = not self._overwritten()
            return not self._owed

    def _owe(self) -> None:
        with self._settling:  # an attempt that began before the deletion mustn't count for it
            self._owed = self._engine.dialect.name == "sqlite"
        self.settle()

    def _overwritten(self) -> bool:
        raw = self._engine.raw_connection()  # outside of any transaction, where alone it can be done
        try:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout={SETTLE_MS}")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        finally:
            raw.close()
        return not busy

    # --- what came out ------------------------------------------------------------------------------------------------

    def results(self, owner: str, name: str, after: int = 0, most: int = 1_000_000) -> list[dict[str, Any]]:
        """Give results in the order of judging, behind a place; each with the last override, if there is one.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
        """
        return self._results(owner, name, and_(RESULTS.c.place > after), most)

    def chosen(self, owner: str, name: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Give the results of some projects, with their texts.

        Raises:
            ScreeningMissing: if there is no such screening for this owner.
        """
        return self._results(owner, name, RESULTS.c.number.in_(numbers), len(numbers), [ITEMS.c.text])

    def _results(self, owner: str, name: str, which: Any, most: int, also: Sequence[Any] = ()) -> list[dict[str, Any]]:
        described = (ITEMS.c.name, ITEMS.c.candidate, ITEMS.c.title, ITEMS.c.origin, ITEMS.c.link, ITEMS.c.notices)
        same = and_(ITEMS.c.screening == RESULTS.c.screening, ITEMS.c.number == RESULTS.c.number)
        with self._reading.connect() as c:
            self._own(c, owner, name)
            asked = select(RESULTS, *described, *also).join(ITEMS, same).where(RESULTS.c.screening == name, which)
            rows = [dict(r._mapping) for r in c.execute(asked.order_by(RESULTS.c.place).limit(most))]
            overruled = _last_overrides(c, name)
        return [row | {"override": overruled.get(row["number"])} for row in rows]

    def outline(self, owner: str, name: str) -> list[dict[str, Any]]:
        """Give every item by its number, judged or not, with what a table needs and without text and report.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
        """
        same = and_(ITEMS.c.screening == RESULTS.c.screening, ITEMS.c.number == RESULTS.c.number)
        with self._reading.connect() as c:
            self._own(c, owner, name)
            described = (ITEMS.c.number, ITEMS.c.name, ITEMS.c.candidate, ITEMS.c.title, ITEMS.c.origin, ITEMS.c.link)
            asked = (
                select(*described, RESULTS.c.verdict, RESULTS.c.probability, RESULTS.c.error)
                .outerjoin(RESULTS, same)
                .where(ITEMS.c.screening == name)
                .order_by(ITEMS.c.number)
            )
            rows = [dict(r._mapping) for r in c.execute(asked)]
            overruled = _last_overrides(c, name)
        return [row | {"override": overruled.get(row["number"])} for row in rows]

    def texts(self, owner: str, name: str) -> list[tuple[int, str, str]]:
        """Give number, candidate and text of every item that has a text.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
        """
        with self._reading.connect() as c:
            self._own(c, owner, name)
            asked = select(ITEMS.c.number, ITEMS.c.candidate, ITEMS.c.text).where(ITEMS.c.screening == name)
            rows = c.execute(asked.order_by(ITEMS.c.number))
            return [(r.number, r.candidate, r.text) for r in rows if r.text.strip()]

    def people(self, owner: str, name: str) -> list[tuple[str, str]]:
        """Give candidates and links in the order of what was sent, each pair once; what is to be hidden comes of it.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
        """
        with self._reading.connect() as c:
            self._own(c, owner, name)
            asked = select(ITEMS.c.candidate, ITEMS.c.link).where(ITEMS.c.screening == name)
            pairs = asked.group_by(ITEMS.c.candidate, ITEMS.c.link).order_by(func.min(ITEMS.c.number))
            return [(r.candidate, r.link) for r in c.execute(pairs)]

    def override(self, owner: str, name: str, number: int, verdict: str, reason: str) -> None:
        """Put a person's verdict beside the judged one; earlier ones stay in the log.

        Raises:
            ScreeningMissing: if there is no such screening, or no report of that number yet.
        """
        with self._engine.begin() as c:
            self._own(c, owner, name)
            judged = select(RESULTS.c.number).where(RESULTS.c.screening == name, RESULTS.c.number == number)
            if c.execute(judged.where(RESULTS.c.error == "")).first() is None:
                raise ScreeningMissing("The screening has no report of that number.")
            made = {"verdict": verdict, "reason": plain(reason), "by": owner, "at": self._now()}
            c.execute(insert(OVERRIDES).values(screening=name, number=number, **made))

    def overrides(self, owner: str, name: str) -> list[dict[str, Any]]:
        """Give the log of overrides, oldest first.

        Raises:
            ScreeningMissing: if there is none of that name for this owner.
        """
        with self._reading.connect() as c:
            self._own(c, owner, name)
            asked = select(OVERRIDES).where(OVERRIDES.c.screening == name).order_by(OVERRIDES.c.id)
            return [dict(r._mapping) for r in c.execute(asked)]


def _last_overrides(c: Connection, name: str) -> dict[int, dict[str, Any]]:
    last = select(func.max(OVERRIDES.c.id)).where(OVERRIDES.c.screening == name).group_by(OVERRIDES.c.number)
    found = c.execute(select(OVERRIDES).where(OVERRIDES.c.id.in_(last)))
    return {r.number: {"verdict": r.verdict, "reason": r.reason, "by": r.by, "at": r.at} for r in found}


def _remove(c: Connection, names: Sequence[str]) -> None:
    for table in (RESULTS, OVERRIDES, REQUESTS, MESSAGES, ITEMS):
        c.execute(delete(table).where(table.c.screening.in_(names)))
    c.execute(delete(SCREENINGS).where(SCREENINGS.c.id.in_(names)))
