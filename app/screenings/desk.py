"""Opens the database of screenings when it is first needed: a service that screens nothing makes no file.

Nor does it load what databases take, a twelfth of the service's memory.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import ScreeningMissing
from app.screenings.clock import SteadyClock
from app.screenings.entry import LINKS_LEASES, MISSING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.screenings.outbox import Outbox
    from app.screenings.queue import Queue
    from app.screenings.store import Store
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Books:
    """One open database, from its three sides."""

    engine: Engine
    store: Store
    queue: Queue
    outbox: Outbox

    @classmethod
    def on(cls, engine: Engine, days: float, lease_s: float) -> Books:
        """Take an engine that is migrated."""
        from app.screenings.outbox import Outbox  # noqa: PLC0415  brings the database's library
        from app.screenings.queue import Queue  # noqa: PLC0415  likewise
        from app.screenings.store import Store  # noqa: PLC0415  likewise

        now = SteadyClock()
        return cls(engine, Store(engine, days, now), Queue(engine, now, LINKS_LEASES * lease_s), Outbox(engine, now))


class Desk:
    """Where screenings are kept; nothing is opened before it is asked for."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; without a URL it is a file of SQLite beside the index."""
        self._own = settings.index_dir.parent.absolute() / "screenings.db"
        self._chosen = settings.screenings_url
        self._days = settings.screenings_days
        self.lease_s = settings.screenings_lease_s
        self._lock = threading.Lock()
        self._books: Books | None = None

    @property
    def _url(self) -> str:
        return self._chosen or f"sqlite:///{self._own}"

    def open(self) -> Books:
        """Open the database, and make it if there is none.

        Raises:
            ScreeningsUnusable: if it can't be opened.
        """
        with self._lock:
            if self._books is None:
                from app.screenings.database import open_engine  # noqa: PLC0415  brings the database's library

                self._books = Books.on(open_engine(self._url), self._days, self.lease_s)
            return self._books

    def migrate(self, to: str) -> tuple[str, str]:
        """Bring the database to a step of its migrations; see ``database.migrate``."""
        from app.screenings.database import migrate  # noqa: PLC0415  brings the database's library

        return migrate(self._url, to)

    def there(self) -> Books:
        """Open the database if there is one: a file that exists, or a server.

        Raises:
            ScreeningMissing: if nothing was ever screened here.
            ScreeningsUnusable: if it can't be opened.
        """
        if self._books is None and self._is_file_to_come():
            raise ScreeningMissing(MISSING)
        return self.open()

    def _is_file_to_come(self) -> bool:
        if not self._chosen:
            return not self._own.exists()
        from sqlalchemy import make_url  # noqa: PLC0415  for those who chose an address
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415  likewise

        try:
            url = make_url(self._url)
        except ArgumentError:
            return False  # opening says what is wrong
        return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()

    def renew(self) -> None:
        """Open a file anew when next asked: another may lie in its place. A server's connections renew themselves."""
        if self._books is not None and self._books.engine.dialect.name == "sqlite":
            self.close()

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            if self._books is not None:
                self._books.engine.dispose()
                self._books = None
