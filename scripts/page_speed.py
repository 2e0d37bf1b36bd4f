#!/usr/bin/env python3
"""Print the server's time for the page's report against the JSON's: medians of the same texts by turns, in one run.

The page also compares, maps and counts; it is to take at most 1.5 times as long. Exit code 1 if it takes longer.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import TYPE_CHECKING

from fastapi.testclient import TestClient

from app.api import create_app
from app.checker import Checker
from app.settings import Settings
from app.web import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWED = 1.5
ROUNDS = 50


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"answers of each kind; {ROUNDS} if not given")
    rounds = parser.parse_args(arguments).rounds
    settings = Settings.from_environment()
    with TestClient(create_app(settings, Checker.open(settings, build=True))) as client:
        asked: dict[str, Callable[[str], int]] = {
            "JSON": lambda text: client.post("/api/v1/checks", json={"text": text}).status_code,
            "page": lambda text: client.post("/check", data={"text": text}).status_code,
        }
        for ask in asked.values():
            for example in EXAMPLES:
                ask(example.text)
        took: dict[str, list[float]] = {name: [] for name in asked}
        for number in range(rounds):
            # Another text each time, the same for both in turns: neither may live on what the other has just encoded.
            for name in list(asked)[:: 1 if number % 2 else -1]:
                text = f"{EXAMPLES[number % len(EXAMPLES)].text} Attempt {name} {number}."
                took[name].append(_seconds(asked[name], text))
    medians = {name: statistics.median(times) for name, times in took.items()}
    for name, median in medians.items():
        print(f"{name}: {1000 * median:.0f} ms (median of {rounds})")
    ratio = medians["page"] / medians["JSON"]
    print(f"page / JSON: {ratio:.2f} (at most {ALLOWED})")
    return int(ratio > ALLOWED)


def _seconds(ask: Callable[[str], int], text: str) -> float:
    began = time.perf_counter()
    status = ask(text)
    took = time.perf_counter() - began
    if status != 200:
        raise SystemExit(f"page_speed: the service answered {status}")
    return took


if __name__ == "__main__":
    sys.exit(main())
