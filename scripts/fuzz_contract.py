#!/usr/bin/env python3
"""Ask a real service all that its OpenAPI document allows and forbids, along its links too, and hold it to every word.

A service of its own is started with keys asked for, empty folders and the built index; schemathesis makes the requests:
the documented examples, the edges of every field, chance, and chains of operations. It ends with 1 if an answer has an
undocumented status, form, header or media type; if a fault isn't a problem document; if what is invalid is taken, or if
what is valid is refused for its shape; if no key is asked for; or if a status is 500 or above, but for a 503 that says
when to come back.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from app import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
CONFIG = Path(__file__).with_name("schemathesis.toml")
PHASES = ("examples", "coverage", "fuzzing", "stateful")
RIGHTS = ("check", "search", "feedback", "write:*", "write:@screenings")
START_S = 300.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run came to.

    Attributes:
        report: as schemathesis tells it.
        told: what it printed, where that was kept.
    """

    report: dict[str, Any]
    told: str = ""

    @property
    def failures(self) -> int:
        """Count different failures, and what kept something from being asked at all."""
        cases = self.report["test_cases"]
        return int(cases["unique_failures"]) + int(cases["errored"]) + len(self.report["errors"])

    @property
    def line(self) -> str:
        """Put the counts into one line."""
        some, cases = self.report["operations"], self.report["test_cases"]
        covered = f"{some['tested']} of {some['total']} operations covered, {cases['generated']:,} requests sent"
        return f"{covered} in {self.report['running_time']:.0f} s, seed {self.report['seed']}: {self.failures} failures"


def ask(
    url: str,
    key: str,
    examples: int,
    phases: tuple[str, ...] = PHASES,
    *,
    seed: int = 1,
    only: str = "",
    aloud: bool = False,
) -> Asked:
    """Ask a running service.

    Args:
        key: one that allows all, for a service that asks for keys.
        examples: most requests made by chance for one operation, and chains of requests.
        only: a path; all if empty.
        aloud: let schemathesis print as it goes.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"]
        command += [f"{url}/api/v1/openapi.json", "--no-color", "--seed", str(seed), "--max-examples", str(examples)]
        command += ["--phases", ",".join(phases), "--report", "json", "--report-json-path", str(report)]
        command += ["--include-path", only] if only else []
        given = {"CONTRACT_KEY": key, "SCHEMATHESIS_HOOKS": "scripts.contract_checks", "PYTHONPATH": str(ROOT)}
        output = None if aloud else subprocess.PIPE
        done = subprocess.run(  # noqa: S603  ours
            command, cwd=folder, env={**os.environ, **given}, stdout=output, stderr=output, text=True, check=False
        )
        if not report.is_file():
            raise RuntimeError(f"schemathesis came to no report: {done.stdout} {done.stderr}")
        return Asked(json.loads(report.read_text(encoding="utf-8")), done.stdout or "")


@contextmanager
def service() -> Iterator[tuple[str, str]]:
    """Run a service with folders of its own, and give its address and a key that allows all."""
    listening = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
    port = subprocess.check_output([sys.executable, "-c", listening], text=True).strip()  # noqa: S603  ours
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = keys.add(folder / "keys.json", "contract", keys.rights(RIGHTS))
        own = {
            "ORIGINALITY_API_ACCESS": "keys",
            "ORIGINALITY_KEYS_FILE": str(folder / "keys.json"),
            "ORIGINALITY_COLLECTIONS_DIR": str(folder / "collections"),
            "ORIGINALITY_FEEDBACK_DIR": str(folder / "notes"),
            "ORIGINALITY_SCREENINGS_URL": f"sqlite:///{folder}/screenings.db",
        }
        process = subprocess.Popen(  # noqa: S603  the project's own command
            [sys.executable, "-m", "app", "serve", "--port", port], stderr=subprocess.DEVNULL, env={**os.environ, **own}
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield url, key
        finally:
            process.terminate()
            process.wait()


def _wait(url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the service was not ready within {START_S:.0f} s")


def main(arguments: list[str] | None = None) -> int:
    """Ask, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200, help="requests by chance for each operation, and chains")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default=",".join(PHASES), help=f"some of {', '.join(PHASES)}")
    parser.add_argument("--only", default="", help="one path of the document")
    given = parser.parse_args(arguments)
    with service() as (url, key):
        asked = ask(
            url, key, given.examples, tuple(given.phases.split(",")), seed=given.seed, only=given.only, aloud=True
        )
    print(asked.line)
    return 1 if asked.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
