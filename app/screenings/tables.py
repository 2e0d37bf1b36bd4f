"""The tables of screenings; ``migrations`` makes them, and a test holds the two to each other."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

SCREENINGS = Table(
    "screenings",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("owner", String(200), nullable=False),  # the name of a key; never shown to another
    Column("state", String(16), nullable=False),
    Column("title", Text, nullable=False),  # such as the name of the file that was sent
    Column("suggest", Integer, nullable=False),
    Column("fetch", Integer, nullable=False),
    Column("notices", Text, nullable=False),  # a JSON list: how the file was read
    Column("webhook", Text, nullable=False),
    Column("webhook_secret", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),  # also the number of the latest result
    Column("failed", Integer, nullable=False),
    Column("created", Float, nullable=False),  # seconds since 1970, as all times here
    Column("expires", Float, nullable=False),
)
ITEMS = Table(
    "items",
    METADATA,
    Column("screening", ForeignKey("screenings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("candidate", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("link", Text, nullable=False),  # with an empty text: still to be followed
    Column("notices", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("lease", String(32), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index("items_to_do", "state", "attempts", "screening"),
)
RESULTS = Table(
    "results",
    METADATA,
    Column("screening", ForeignKey("screenings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("place", Integer, nullable=False),  # in the order of judging, without a gap: what a cursor counts
    Column("verdict", String(32), nullable=False),
    Column("probability", Float, nullable=False),
    Column("report", Text, nullable=False),
    Column("error", Text, nullable=False),
    Index("results_in_order", "screening", "place", unique=True),
)
OVERRIDES = Table(
    "overrides",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("screening", ForeignKey("screenings.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Float, nullable=False),
)
REQUESTS = Table(
    "requests",
    METADATA,
    Column("owner", String(200), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("screening", ForeignKey("screenings.id"), nullable=False, index=True),
)
MESSAGES = Table(
    "messages",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("screening", ForeignKey("screenings.id"), nullable=False, index=True),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Float, nullable=False, index=True),  # when it is to be sent next
    Column("state", String(16), nullable=False),
    Column("fault", Text, nullable=False),
)
