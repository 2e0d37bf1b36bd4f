"""Keeps collections in a PostgreSQL server with pgvector, for several machines; the only room that knows it.

A collection is a table of its own, and a row of it says in which version it came and in which it went, so that every
version that is kept can be read, and gone back to. A version is written in one transaction: whoever is killed on the
way leaves nothing. Search is exact up to ``GRAPH_FROM`` rows, and by a graph of near vectors (HNSW) above it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import astuple
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
from pgvector import Vector
from pgvector.psycopg import register_vector
from psycopg import errors, sql
from psycopg_pool import ConnectionPool, PoolTimeout

from app.corpus import FIELDS, Row
from app.encoder import DIMENSION
from app.errors import BadInput, IndexBusy, IndexMissing, StoreUnavailable
from app.store import KEPT, LOCK_TIMEOUT_S, Found, checked, encoded, missing, refuse_another, refuse_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from psycopg import Connection
    from psycopg.sql import Composed

    from app.encoder import TextEncoder
    from app.records import Vectors

LAYOUT = 1
GRAPH_FROM = 20_000
"""Rows from which a collection has a graph. By ``scripts/bench_postgres.py`` on two cores the exact search of so many
takes 16 ms, and 79 ms of 100,000; by the graph it is 7 and 11 ms, and growing it takes 10 and 80 s once."""
GRAPH_WIDTH = 200
"""Candidates that a search of the graph keeps (``hnsw.ef_search``): of the exact ten .997 and .996 are found."""
CONNECTIONS = 4
"""Most that one process holds: the service asks with two workers."""
CONNECT_TIMEOUT_S = 10
_PAGE = 512
_WHAT_TO_DO = "Check ORIGINALITY_COLLECTIONS_URL, and that the server runs and lets you in."

_TABLES = f"""
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS originality_collections (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    model text NOT NULL,
    layout integer NOT NULL DEFAULT {LAYOUT},
    current integer NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS originality_versions (
    collection bigint NOT NULL REFERENCES originality_collections ON DELETE CASCADE,
    version integer NOT NULL,
    rows bigint NOT NULL,
    PRIMARY KEY (collection, version)
);
"""
_ROWS = sql.SQL(
    f"""
CREATE TABLE {{table}} (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    came integer NOT NULL,
    went integer,
    {", ".join(f"{name} text NOT NULL" for name in FIELDS)},
    vector vector({DIMENSION}) NOT NULL
);
CREATE UNIQUE INDEX ON {{table}} (id) WHERE went IS NULL;
"""
)
_COLUMNS = sql.SQL(", ").join(map(sql.Identifier, FIELDS))
_THERE = sql.SQL("came <= %(version)s AND (went IS NULL OR went > %(version)s)")


class PostgresCollection:
    """One version of a collection, read-only; see ``Held``."""

    def __init__(self, store: PostgresCollections, name: str, key: int, version: int, rows: int) -> None:
        """Wrap what ``PostgresCollections.open`` has found."""
        self.name = name
        self.version = version
        self._store, self._key, self._rows = store, key, rows

    def __len__(self) -> int:
        """Count the rows."""
        return self._rows

    def rows(self) -> Iterator[Row]:
        """Give all rows in the order of their adding; see ``Held.rows``."""
        page = sql.SQL("SELECT number, {} FROM {} WHERE number > %(last)s AND {} ORDER BY number LIMIT {}").format(
            _COLUMNS, _table(self._key), _THERE, _PAGE
        )
        last = 0
        while True:
            with self._store.reading(self._key, self.name, self.version) as connection:
                found = connection.execute(page, {"last": last, "version": self.version}).fetchall()
            yield from (Row(*line[1:]) for line in found)
            if len(found) < _PAGE:
                return
            last = found[-1][0]

    def search(self, queries: Vectors, k: int) -> list[list[Found]]:
        """Find the nearest rows of every query; see ``Held.search``."""
        result: list[list[Found]] = [[] for _ in queries]
        if not len(queries):
            return result
        nearest = sql.SQL(
            "SELECT asked.place, near.* FROM unnest(%(queries)s::vector[]) WITH ORDINALITY AS asked (vector, place), "
            "LATERAL (SELECT vector <#> asked.vector AS away, number, {} FROM {} WHERE {} "
            "ORDER BY vector <#> asked.vector LIMIT %(k)s) AS near ORDER BY place, away, number"
        ).format(_COLUMNS, _table(self._key), _THERE)
        asked = {"queries": [Vector(query) for query in queries], "k": k, "version": self.version}
        with self._store.reading(self._key, self.name, self.version) as connection:
            # Rows of other versions are passed over in the graph, until enough of this one are found.
            connection.execute(
                f"SET LOCAL hnsw.ef_search = {max(GRAPH_WIDTH, k)}; SET LOCAL hnsw.iterative_scan = strict_order"
            )
            for place, away, _, *fields in connection.execute(nearest, asked):
                result[place - 1].append(Found(Row(*fields), min(1.0, max(-1.0, -away)), place - 1))
        return result


class PostgresCollections:
    """All collections in a database; see ``Store``."""

    def __init__(self, url: str, model: str) -> None:
        """Remember where, and whose vectors; the first question connects."""
        self._url, self._model = url, model
        self._lock = Lock()
        self._ready = False
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=CONNECTIONS,
            open=False,
            timeout=CONNECT_TIMEOUT_S,
            configure=_knows_vectors,
            check=ConnectionPool.check_connection,
            kwargs={"connect_timeout": CONNECT_TIMEOUT_S},
        )

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    def names(self) -> list[str]:
        """List what is there."""
        with self._connected() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM originality_collections ORDER BY name")]

    def open(self, name: str) -> PostgresCollection:
        """Open the current version; see ``Store.open``."""
        with self._connected() as connection:
            return self._opened(connection, name)

    def add(
        self, name: str, rows: Sequence[Row], encoder: TextEncoder, tell: Callable[[str], None] = lambda _: None
    ) -> PostgresCollection:
        """Add rows; see ``Store.add``."""
        checked(name)
        refuse_twins(rows)
        if any("\0" in value for row in rows for value in astuple(row)):
            raise BadInput("A row holds a null character, which PostgreSQL can't keep. Take it out.")
        vectors = encoded(rows, encoder, tell)
        with self._connected() as connection:
            before = self._opened(connection, name, make=True, to_write=True)
            version = _next_version(connection, before)
            ids = [row.id for row in rows]
            _take_away(connection, before, version, ids)
            _copy_in(connection, before, version, rows, vectors)
            _finish(connection, before, version)
            return self._opened(connection, name)

    def remove(self, name: str, ids: Iterable[str]) -> int:
        """Remove rows by id; see ``Store.remove``."""
        wanted = [one for one in ids if "\0" not in one]
        with self._connected() as connection:
            before = self._opened(connection, name, to_write=True)
            there = sql.SQL("SELECT count(*) FROM {} WHERE id = ANY(%(ids)s) AND {}").format(
                _table(before._key), _THERE
            )
            (count,) = _one(connection.execute(there, {"ids": wanted, "version": before.version}))
            if count:
                version = _next_version(connection, before)
                _take_away(connection, before, version, wanted)
                _finish(connection, before, version)
        return int(count)

    def drop(self, name: str) -> None:
        """Delete a collection; see ``Store.drop``."""
        with self._connected() as connection:
            deleted = "DELETE FROM originality_collections WHERE name = %s RETURNING key"
            found = connection.execute(deleted, [checked(name)]).fetchone()
            if found is None:
                raise missing(name)
            connection.execute(sql.SQL("DROP TABLE {}").format(_table(found[0])))

    def versions(self, name: str) -> list[int]:
        """List the versions that are kept; see ``Store.versions``."""
        asked = (
            "SELECT version FROM originality_versions JOIN originality_collections ON key = collection "
            "WHERE name = %s ORDER BY version"
        )
        with self._connected() as connection:
            return [version for (version,) in connection.execute(asked, [checked(name)])]

    def version(self, name: str) -> int:
        """Give the number of the current version; see ``Store.version``."""
        with self._connected() as connection:
            asked = "SELECT current FROM originality_collections WHERE name = %s"
            found = connection.execute(asked, [checked(name)]).fetchone()
        return int(found[0]) if found else 0

    def go_back(self, name: str, to: int | None = None) -> int:
        """Go to another version; see ``Store.go_back``."""
        kept = self.versions(name)
        with self._connected() as connection:
            current = self.version(name)
            to = to if to is not None else max((n for n in kept if n < current), default=0)
            turned = (
                "UPDATE originality_collections SET current = %(to)s WHERE name = %(name)s AND EXISTS "
                "(SELECT FROM originality_versions WHERE collection = key AND version = %(to)s)"
            )
            if connection.execute(turned, {"to": to, "name": name}).rowcount == 0:
                listed = ", ".join(map(str, kept)) or "none"
                raise IndexMissing(f"Version {to or 'before this'} of {name} isn't kept. Kept: {listed}.")
        return to

    @contextmanager
    def reading(self, key: int, name: str, version: int) -> Iterator[Connection[Any]]:
        """Hold a transaction that sees one moment, in which a version is still kept.

        Raises:
            CollectionMissing: if it isn't any more.
        """
        with self._connected() as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            try:
                asked = "SELECT FROM originality_versions WHERE collection = %s AND version = %s"
                if connection.execute(asked, [key, version]).fetchone() is None:
                    raise missing(name)
                yield connection
            finally:
                connection.rollback()  # nothing was written, and the level may only be changed outside
                connection.isolation_level = None

    def _opened(
        self, connection: Connection[Any], name: str, *, make: bool = False, to_write: bool = False
    ) -> PostgresCollection:
        """Find the current version; where it is to be written, until the end of the transaction by nobody else."""
        asked = "SELECT key, model, layout, current FROM originality_collections WHERE name = %s"
        found = connection.execute(f"{asked} FOR UPDATE" if to_write else asked, [checked(name)]).fetchone()
        if found is None and make:
            made = "INSERT INTO originality_collections (name, model) VALUES (%s, %s) ON CONFLICT DO NOTHING"
            if connection.execute(made, [name, self._model]).rowcount:
                (key,) = _one(connection.execute("SELECT key FROM originality_collections WHERE name = %s", [name]))
                connection.execute(_ROWS.format(table=_table(key)))
            found = connection.execute(f"{asked} FOR UPDATE", [name]).fetchone()
        if found is None:
            raise missing(name)
        key, model, layout, current = found
        refuse_another(name, (model, layout), (self._model, LAYOUT))
        counted = "SELECT rows FROM originality_versions WHERE collection = %s AND version = %s"
        rows = connection.execute(counted, [key, current]).fetchone()
        return PostgresCollection(self, name, key, current, int(rows[0]) if rows else 0)

    @contextmanager
    def _connected(self) -> Iterator[Connection[Any]]:
        """Lend a connection for one transaction, and put the server's troubles into our own words."""
        try:
            self._make_ready()
            with self._pool.connection() as connection:
                yield connection
        except errors.LockNotAvailable as error:
            raise IndexBusy(
                f"Another process has been writing to this collection for over {LOCK_TIMEOUT_S:.0f} s. "
                "Wait for it, or end it and try again."
            ) from error
        except (psycopg.Error, PoolTimeout) as error:
            raise StoreUnavailable(
                f"The server of the collections can't be used ({type(error).__name__}). {_WHAT_TO_DO}"
            ) from error

    def _make_ready(self) -> None:
        """Open the pool, and make the tables where they are missing."""
        with self._lock:
            if self._ready:
                return
            with psycopg.connect(self._url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
                if _one(connection.execute("SELECT to_regclass('originality_versions')"))[0] is None:
                    try:
                        connection.execute("SELECT pg_advisory_xact_lock(hashtext('originality'))")
                        connection.execute(_TABLES)
                    except (errors.FeatureNotSupported, errors.UndefinedFile, errors.InsufficientPrivilege) as error:
                        raise StoreUnavailable(
                            f"The tables of the collections can't be made ({type(error).__name__}). Install pgvector "
                            "on the server, let its administrator run CREATE EXTENSION vector, and let us make tables."
                        ) from error
            self._pool.open()
            self._ready = True


def _knows_vectors(connection: Connection[Any]) -> None:
    register_vector(connection)
    connection.execute(f"SET lock_timeout = {1_000 * LOCK_TIMEOUT_S:.0f}")
    connection.commit()


def _table(key: int) -> sql.Identifier:
    return sql.Identifier(f"originality_rows_{key}")


def _one(cursor: psycopg.Cursor[Any]) -> tuple[Any, ...]:
    found: tuple[Any, ...] | None = cursor.fetchone()
    if found is None:
        raise LookupError("a question that always has an answer had none")
    return found


def _on(statement: str, before: PostgresCollection) -> Composed:
    return sql.SQL(statement).format(table=_table(before._key), there=_THERE, columns=_COLUMNS)


def _next_version(connection: Connection[Any], before: PostgresCollection) -> int:
    """Begin the version after the newest with the rows of the current one, which may be an older one."""
    newest = "SELECT coalesce(max(version), 0) FROM originality_versions WHERE collection = %s"
    version = int(_one(connection.execute(newest, [before._key]))[0]) + 1
    numbers = {"version": before.version, "next": version}
    if before.version < version - 1:
        later = "UPDATE {table} SET went = %(next)s WHERE went IS NULL AND came > %(version)s"
        connection.execute(_on(later, before), numbers)
        again = (
            "INSERT INTO {table} (came, {columns}, vector) SELECT %(next)s, {columns}, vector FROM {table} "
            "WHERE came <= %(version)s AND went > %(version)s ORDER BY number"
        )
        connection.execute(_on(again, before), numbers)
    return version


def _take_away(connection: Connection[Any], before: PostgresCollection, version: int, ids: Sequence[str]) -> None:
    gone = "UPDATE {table} SET went = %s WHERE went IS NULL AND id = ANY(%s)"
    connection.execute(_on(gone, before), [version, list(ids)])


def _copy_in(
    connection: Connection[Any], before: PostgresCollection, version: int, rows: Sequence[Row], vectors: Vectors
) -> None:
    statement = _on("COPY {table} (came, {columns}, vector) FROM STDIN WITH (FORMAT BINARY)", before)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(["int4", *["text"] * len(FIELDS), "vector"])
        for row, vector in zip(rows, vectors, strict=True):
            copy.write_row((version, *astuple(row), Vector(np.asarray(vector))))


def _finish(connection: Connection[Any], before: PostgresCollection, version: int) -> None:
    """Count the version, make it the current one, let go of what no kept version has, and grow a graph if need be."""
    numbers = {"key": before._key, "version": version, "oldest": version - KEPT + 1}
    (rows,) = _one(connection.execute(_on("SELECT count(*) FROM {table} WHERE went IS NULL", before)))
    connection.execute("INSERT INTO originality_versions VALUES (%s, %s, %s)", [before._key, version, rows])
    connection.execute("UPDATE originality_collections SET current = %(version)s WHERE key = %(key)s", numbers)
    connection.execute("DELETE FROM originality_versions WHERE collection = %(key)s AND version < %(oldest)s", numbers)
    connection.execute(_on("DELETE FROM {table} WHERE went <= %(oldest)s OR went = came", before), numbers)
    if rows >= GRAPH_FROM:
        graph = sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} USING hnsw (vector vector_ip_ops)")
        name = sql.Identifier(f"originality_graph_{before._key}")
        connection.execute("SET LOCAL maintenance_work_mem = '1GB'")
        connection.execute(graph.format(name, _table(before._key)))
