"""Opens the database: SQLite by a path, PostgreSQL by its URL, at the newest step of its migrations.

Steps are numbered, and each but the first can be taken back without a row being lost. One that changes a table adds or
drops columns: to copy a table of SQLite, as Alembic's batches do, would drop the old one with all that refers to it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError

from app.errors import BadInput, ScreeningsUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import ExceptionContext

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
BUSY_MS = 30_000
"""How long a writer of SQLite waits for another one."""
LOCK = 7_162_534_401
"""Any number that no other program takes for a lock in the same PostgreSQL: one process migrates at a time."""
_OURS = (DataError, IntegrityError, ProgrammingError)
"""Errors that speak of what was asked, and not of the database's state."""
_SQLITE = {
    "SQLITE_FULL": "has no room: make some on its disk. What was being stored is not there, and all before it is",
    "SQLITE_READONLY": "can't be written: let the service write its file and the folder that it lies in",
    "SQLITE_CANTOPEN": "can't be opened: let the service write its file and the folder that it lies in",
    "SQLITE_CORRUPT": "is damaged: stop the service, and put a backup in the place of its file",
    "SQLITE_NOTADB": "is no database: stop the service, and put a backup in the place of its file",
}
"""SQLite's names of what is the matter (sqlite.org/rescode.html), each with what to do."""


def open_engine(url: str) -> Engine:
    """Connect and migrate.

    Args:
        url: of SQLAlchemy's form, such as ``sqlite:////var/lib/screenings.db`` or ``postgresql://user@host/name``.

    Raises:
        ScreeningsUnusable: if there is no such database, or it can't be brought to the newest step.
    """
    with _told():
        engine = _connected(url)
        try:
            _migrated(engine, "head")
        except BaseException:
            engine.dispose()
            raise
    return engine


def migrate(url: str, to: str) -> tuple[str, str]:
    """Bring a database to a step, forward or back, all in one transaction; rows are kept as the steps say.

    Args:
        to: a step's number, or ``head`` for the newest one.

    Returns:
        The step before and the one now.

    Raises:
        BadInput: if there is no such step, or it is the one before all tables.
        ScreeningsUnusable: as ``open_engine``.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    steps = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    if to not in {"head", *steps}:
        raise BadInput(f"There is no step {to[:20]!r}. Steps: {', '.join(steps)}; head is the last one.")
    with _told():
        engine = _connected(url)
        try:
            return _migrated(engine, to)
        finally:
            engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise ScreeningsUnusable(
            "The database of screenings was made by a newer release than this one. Run that release, or let it go "
            "back first: originality data migrate --to STEP. docs/RUNBOOK.md says more."
        ) from error
    except (ArgumentError, ImportError, OSError, SQLAlchemyError) as error:
        raise _away(error) from error


def _connected(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_pre_ping=True)
    event.listen(engine, "handle_error", _tell)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _migrated(engine: Engine, to: str) -> tuple[str, str]:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        before = MigrationContext.configure(connection).get_current_revision() or ""
        move = command.downgrade if to != "head" and to < before else command.upgrade
        move(config, to)
        return before, MigrationContext.configure(connection).get_current_revision() or ""


def _tell(context: ExceptionContext) -> None:
    """Put the database's own troubles into our words, wherever it is asked; it may be better at the next attempt.

    Raises:
        ScreeningsUnusable: in the place of the driver's error.
    """
    error, cause = context.sqlalchemy_exception, context.original_exception
    # A connection that was found dead before it was lent is replaced by a new one, and nobody need know.
    if not isinstance(error, DBAPIError) or isinstance(error, _OURS) or context.is_pre_ping:
        return
    known = str(getattr(cause, "sqlite_errorname", ""))
    for name, what in _SQLITE.items():
        if known.startswith(name):  # some have further parts, such as SQLITE_CORRUPT_INDEX
            raise ScreeningsUnusable(f"The database of screenings {what}.") from cause
    raise _away(cause) from cause


def _away(error: BaseException) -> ScreeningsUnusable:
    """Say so without the driver's message: it may carry the URL, and with it a password, or what was to be stored."""
    return ScreeningsUnusable(
        f"The database of screenings can't be used ({type(error).__name__}). Check that it runs, and that "
        "ORIGINALITY_SCREENINGS_URL is sqlite:////path/to/file or postgresql://user:password@host/name."
    )


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
