"""Put the service under k6, and txtai's API doing plain search over the same entries with the same weights beside it.

Run as ``python -m scripts.bench_peers --work FOLDER``. Needs the package k6. txtai is installed in an environment of
its own in that folder, which takes minutes once. Every request carries a text of its own, so that nothing is remembered
from another one. Rounds take turns between the sides.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.catalogue import Catalogue, views
from app.encoder import weights
from app.settings import Settings
from scripts.bench_speed import IDEA, machine

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = (1, 8, 64)
TXTAI = ("txtai[api]==9.14.0", "sentence-transformers==6.2.0")
TORCH = "torch==2.13.0"
K6 = """
import http from "k6/http";
import exec from "k6/execution";
const idea = {idea};
export const options = {{ vus: {clients}, duration: "{seconds}s", summaryTrendStats: ["med", "p(99)"] }};
export default function () {{
  const number = {salt} + "x" + exec.scenario.iterationInTest;
  // A number in every sentence makes each of them a new one.
  const text = idea.split(". ").join(" " + number + ". ");
  {ask}
}}
"""
CHECK = """http.post("{base}/api/v1/checks", JSON.stringify({{ text: text, suggest: {suggest} }}),
    {{ headers: {{ "content-type": "application/json" }} }});"""
SEARCH = 'http.get("{base}{path}" + encodeURIComponent(text));'
INDEX = """
import json, sys
from txtai import Embeddings
rows, model, place = json.load(open(sys.argv[1])), sys.argv[2], sys.argv[3]
made = Embeddings({"path": model, "content": True})
made.index([(number, text, None) for number, text in enumerate(rows)])
made.save(place)
"""


@dataclass(frozen=True, slots=True)
class Side:
    """What is asked, of whom."""

    name: str
    ask: str


def main(arguments: list[str] | None = None) -> int:
    """Measure and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="Folder for txtai's environment and index.")
    parser.add_argument("--seconds", type=int, default=10, help="Length of a round.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--no-txtai", action="store_true")
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        base, ours = stack.enter_context(_ours())
        sides = [
            Side("check", CHECK.format(base=base, suggest="true")),
            Side("check without suggestions", CHECK.format(base=base, suggest="false")),
            Side("search", SEARCH.format(base=base, path="/api/v1/search?k=10&q=")),
        ]
        if not given.no_txtai:
            theirs = stack.enter_context(_txtai(given.work))
            sides.append(Side("txtai: search", SEARCH.format(base=theirs, path="/search?limit=10&query=")))
        figures = {count: _compare(sides, count, given) for count in given.clients}
        print(json.dumps(machine() | {"clients": figures, "resident MB": _resident(ours.pid)}, indent=1))
    return 0


def _compare(sides: list[Side], clients: int, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    rounds: dict[str, list[dict[str, float]]] = {side.name: [] for side in sides}
    for number in range(given.rounds):
        for side in sides:
            rounds[side.name].append(_round(side.ask, clients, given.seconds, f'"{number}"', given.work))
    found = {
        name: {key: round(statistics.median(one[key] for one in some), 2) for key in some[0]}
        for name, some in rounds.items()
    }
    if peer := found.get("txtai: search"):
        for one in found.values():
            one["times txtai's"] = round(one["a second"] / peer["a second"], 2)
    return found


def _round(ask: str, clients: int, seconds: int, salt: str, work: Path) -> dict[str, float]:
    script, summary = work / "load.js", work / "summary.json"
    script.write_text(
        K6.format(idea=json.dumps(IDEA), clients=clients, seconds=seconds, salt=salt + f' + "{clients}"', ask=ask)
    )
    program = shutil.which("k6", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or "k6"
    subprocess.run(  # noqa: S603  the load generator that the docstring names
        [program, "run", "--quiet", "--no-usage-report", "--summary-export", summary, script],
        check=True,
        capture_output=True,
    )
    metrics = json.loads(summary.read_text())["metrics"]
    took = metrics["http_req_duration"]
    return {
        "a second": metrics["http_reqs"]["rate"],
        "p50 ms": took["med"],
        "p99 ms": took["p(99)"],
        "p99 / p50": took["p(99)"] / took["med"],
        "errors": metrics["http_req_failed"]["value"],
    }


@contextmanager
def _ours() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = _free_port()
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    with _running(command, f"http://127.0.0.1:{port}", "/ready", dict(os.environ)) as process:
        yield f"http://127.0.0.1:{port}", process


@contextmanager
def _txtai(work: Path) -> Iterator[str]:
    """Install txtai and build its index, each once, and serve it as its documentation says."""
    python, index, port = work / "txtai" / "bin" / "python", work / "txtai-index", _free_port()
    model = str(weights()[0])
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", work / "txtai"], check=True)  # noqa: S603
        for wanted in ([TORCH], TXTAI):
            subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)  # noqa: S603
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "CONFIG": str(work / "txtai.yml")}
    environment.pop("PYTHONPATH", None)
    if not index.exists():
        texts = [view.text for view in views(Catalogue.load(Settings.from_environment().catalogue_dir))]
        (work / "texts.json").write_text(json.dumps(texts))
        subprocess.run(  # noqa: S603
            [python, "-c", INDEX, work / "texts.json", model, index], check=True, env=environment
        )
    (work / "txtai.yml").write_text(f"path: {index}\nwritable: false\nembeddings:\n  path: {model}\n  content: true\n")
    command = [str(python), "-m", "uvicorn", "--port", str(port), "--log-level", "warning", "txtai.api:app"]
    with _running(command, f"http://127.0.0.1:{port}", "/count", environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(
    command: list[str], base: str, ready: str, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for as long as it is needed, from when it answers."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(base + ready, timeout=5):  # noqa: S310  an address of this machine's
                    break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(f"{command[2:]} has ended with {process.returncode}.") from None
                time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _resident(process: int) -> dict[str, float]:
    """Give what a process holds in memory after the load, and how much of it is its own alone."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes: dict[str, Any] = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    own = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return {"all": round(kilobytes["Rss"] / 1024), "own": round(own / 1024)}


if __name__ == "__main__":
    sys.exit(main())
