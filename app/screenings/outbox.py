"""Keeps what is to be told to other services: written with the change itself, so that neither is without the other."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, or_, select, update

from app.screenings.tables import MESSAGES, SCREENINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Engine

PAUSES_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits between attempts, as the Standard Webhooks specification advises; behind the last one it is given up."""
HELD_S = 120
"""How long one sender keeps a message from the others: longer than one attempt may take."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message that is due.

    Attributes:
        id: the same at each attempt, so that who gets it can tell a repetition.
        attempts: made before this one.
    """

    id: str
    url: str
    secret: str = field(repr=False)
    body: str
    attempts: int


def put(c: Connection, row: Any, values: Mapping[str, Any], now: float) -> None:
    """Write down that a screening has ended, if anybody wants to know; neither names nor texts are told."""
    if not row.webhook:
        return
    data = {"id": row.id, "state": values["state"]}
    data |= {name: values.get(name, getattr(row, name)) for name in ("total", "done", "failed")}
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    body = json.dumps({"type": f"screening.{values['state']}", "timestamp": moment, "data": data})
    fresh = {"id": f"msg_{uuid.uuid4().hex}", "screening": row.id, "body": body}
    c.execute(insert(MESSAGES).values(**fresh, attempts=0, due=now, state="waiting", fault=""))


class Outbox:
    """Gives out what is due and notes what became of it."""

    def __init__(self, engine: Engine, now: Callable[[], float]) -> None:
        """Take an engine that is migrated."""
        self._engine, self._now = engine, now
        self._reading = engine.execution_options(reads=True)

    def take(self) -> Message | None:
        """Hold the next message that is due; a sender that dies leaves it to the next one. None if there is none."""
        now = self._now()
        # Due later than any message can be: from before the clock was set back.
        lost = or_(MESSAGES.c.due > now + max(PAUSES_S), and_(MESSAGES.c.attempts == 0, MESSAGES.c.due > now + HELD_S))
        due = and_(MESSAGES.c.state == "waiting", or_(MESSAGES.c.due <= now, lost))
        with self._reading.connect() as c:
            if c.execute(select(MESSAGES.c.id).where(due).limit(1)).first() is None:
                return None
        with self._engine.begin() as c:
            asked = (
                select(MESSAGES, SCREENINGS.c.webhook, SCREENINGS.c.webhook_secret)
                .join(SCREENINGS, SCREENINGS.c.id == MESSAGES.c.screening)
                .where(due)
                .order_by(MESSAGES.c.due)
                .limit(1)
                .with_for_update(of=MESSAGES, skip_locked=True)
            )
            row = c.execute(asked).first()
            if row is None:
                return None
            held = update(MESSAGES).where(MESSAGES.c.id == row.id).values(due=self._now() + HELD_S)
            c.execute(held)
        return Message(row.id, row.webhook, row.webhook_secret, row.body, row.attempts)

    def note(self, message: Message, fault: str = "", *, last: bool = False) -> None:
        """Note how an attempt ended; a failed one is made again, unless it was the last.

        Args:
            fault: what went wrong; empty if it arrived.
            last: the receiver wants no more.
        """
        done = message.attempts + 1
        again = bool(fault) and not last and message.attempts < len(PAUSES_S)
        state = "waiting" if again else "failed" if fault else "sent"
        due = self._now() + PAUSES_S[message.attempts] if again else 0.0
        with self._engine.begin() as c:
            c.execute(
                update(MESSAGES)
                .where(MESSAGES.c.id == message.id)
                .values(attempts=done, due=due, state=state, fault=fault)
            )
