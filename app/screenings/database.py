"""Opens the database: SQLite by a path, PostgreSQL by its URL, at the newest step of its migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from app.errors import ScreeningsUnusable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
BUSY_MS = 30_000
"""How long a writer of SQLite waits for another one."""
LOCK = 7_162_534_401
"""Any number that no other program takes for a lock in the same PostgreSQL: one process migrates at a time."""


def open_engine(url: str) -> Engine:
    """Connect and migrate.

    Args:
        url: of SQLAlchemy's form, such as ``sqlite:////var/lib/screenings.db`` or ``postgresql://user@host/name``.

    Raises:
        ScreeningsUnusable: if there is no such database, or it can't be brought to the newest step.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (ArgumentError, ImportError, OSError, SQLAlchemyError) as error:
        # The message of the driver may carry the URL, and with it a password.
        raise ScreeningsUnusable(
            f"The database of screenings can't be opened ({type(error).__name__}). "
            "ORIGINALITY_SCREENINGS_URL is sqlite:////path/to/file or postgresql://user:password@host/name."
        ) from error
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Leave transactions to us, keep readers and the writer apart, and overwrite what is deleted."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the writer's lock at once where there will be writing: a reader can't become a writer without a clash."""
    reads = connection.get_execution_options().get("reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
