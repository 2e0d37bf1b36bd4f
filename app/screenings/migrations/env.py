"""Runs the steps on the connection that ``database.open_engine`` hands over."""

from __future__ import annotations

from alembic import context

from app.screenings.tables import METADATA


def run() -> None:
    """Bring the database to the newest step."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


run()
