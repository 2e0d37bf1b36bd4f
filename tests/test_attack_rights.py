"""Attacks on rights: every route that the service has, with keys that may not, and ids that are another's.

The routes come from the OpenAPI document and from the application itself, so that a new one is attacked as soon as it
is there: a parameter or a body that isn't known here fails the tests.
"""

from __future__ import annotations

import ast
import datetime as dt
import hashlib
import inspect
import json
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi.routing import APIRoute

from app import keys
from app.api import create_app
from app.collection import Collections
from app.described import EXAMPLES
from app.errors import AccessDenied
from app.screenings import pages
from app.screenings.access import COOKIE
from tests.live_service import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.checker import Checker
    from app.settings import Settings
    from tests.conftest import Attempts

pytestmark = pytest.mark.model

TITANIC = "titanic survival w/ logistic regression"
OPEN = {"get /health", "get /ready", "get /info", "get /metrics"}
"""What needs no key, whatever the service is set to."""
BY_TOKEN = {"get /api/v1/feedback/{token}", "delete /api/v1/feedback/{token}"}
"""What whoever holds a note's token may do."""
OF_NOBODY = {"get /api/v1/catalogue/{entry}"}
"""What takes an id that belongs to no tenant."""
FILE = {"file": ("ideas.csv", b"id,text\n1,bees\n")}
NAMING = {("post /api/v1/checks", "collections"), ("post /api/v1/checks:batch", "collections")} | {
    ("get /api/v1/search", "collection"),
    ("post /api/v1/search", "collection"),
}
"""Operations that take a collection's name elsewhere than in their path."""


@dataclass
class House:
    """A running service with two tenants, of whom one has something.

    Attributes:
        ids: what stands for each of a path's parameters: the first tenant's own.
    """

    client: httpx.Client
    keys_file: Path
    ann: str
    bob: str
    ids: dict[str, str]
    operations: dict[str, dict[str, Any]]

    def ask(self, operation: str, headers: dict[str, str], **ids: str) -> httpx.Response:
        """Carry an operation out with the first tenant's ids, or those that are given in their place."""
        method, _, path = operation.partition(" ")
        under = path.split("/")[3] if path.startswith("/api/v1/") else ""
        given = self.ids | {"name": self.ids.get(under, ""), "kind": "csv", "how": "pause"} | ids
        body: dict[str, Any] = {}
        if "upload" in path:
            body = {"files": FILE}
        elif "requestBody" in self.operations[operation]:
            shown = json.loads(EXAMPLES.read_text(encoding="utf-8"))[operation]["requests"]
            body = {"json": next(iter(shown.values()))["value"]}
        query = {"q": "bees"} if operation == "get /api/v1/search" else {}
        return self.client.request(method, path.format(**given), headers=headers, params=query, **body)

    def state(self) -> dict[str, Any]:
        """Tell all that the first tenant has."""
        mine = bearer(self.ann)
        rows = self.client.get("/api/v1/collections/ann-past/rows", headers=mine).json()["rows"]
        place = f"/api/v1/screenings/{self.ids['screenings']}"
        return {
            "rows": [row["id"] for row in rows],
            "screenings": [s["id"] for s in self.client.get("/api/v1/screenings", headers=mine).json()["screenings"]],
            "screening": self.client.get(place, headers=mine).json(),
            "overrides": self.client.get(f"{place}/overrides", headers=mine).json(),
            "note": self.client.get(f"/api/v1/feedback/{self.ids['token']}").json(),
        }


def bearer(key: str) -> dict[str, str]:
    """Write the header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def house(settings: Settings, checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Serve with keys asked for, on a port; the first tenant has a collection, a screening and a note."""
    folder = tmp_path_factory.mktemp("house")
    own = replace(
        settings,
        keys_file=folder / "keys.json",
        collections_dir=folder / "collections",
        feedback_dir=folder / "notes",
        screenings_url=f"sqlite:///{folder}/screenings.db",
        api_keys=True,
    )
    before, checker.collections = checker.collections, Collections(own.collections_dir, checker._encoder.name)
    every = ["check", "search", "feedback", "write:@screenings"]
    ann, bob = (keys.add(own.keys_file, who, keys.rights([*every, f"write:{who}-past"])) for who in ("ann", "bob"))
    with serving(create_app(own, checker)) as address, httpx.Client(base_url=address, timeout=60) as client:
        mine = bearer(ann)
        rows = {"rows": [{"id": "1", "name": "Hives", "about": "Forty hives weighed every night for two winters."}]}
        assert client.post("/api/v1/collections/ann-past/rows", json=rows, headers=mine).status_code == 200
        items = [{"id": str(n), "candidate": "Ada", "text": TITANIC} for n in range(2)]
        name = client.post("/api/v1/screenings", json={"items": items}, headers=mine).json()["id"]
        deadline = time.monotonic() + 60
        while client.get(f"/api/v1/screenings/{name}", headers=mine).json()["state"] != "done":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        note = {"kind": "proposal", "entry": "dataset", "name": "Seals", "consent": True}
        token = client.post("/api/v1/feedback", json=note, headers=mine).json()["token"]
        described = client.get("/api/v1/openapi.json").json()["paths"]
        operations = {f"{method} {path}": what for path, some in described.items() for method, what in some.items()}
        ids = {"collections": "ann-past", "screenings": name, "feedback": token, "token": token}
        ids |= {"catalogue": "titanic", "entry": "titanic", "row": "1", "number": "1"}
        yield House(client, own.keys_file, ann, bob, ids, operations)
    checker.collections = before


@pytest.fixture
def strangers(house: House) -> dict[str, dict[str, str]]:
    """Give what somebody without a valid key may try in its stead."""
    ended, gone = (keys.add(house.keys_file, name, keys.rights(["write:*", "check"])) for name in ("ended", "gone"))
    yesterday = (dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)).isoformat()
    rows = json.loads(house.keys_file.read_text())
    house.keys_file.write_text(
        json.dumps([row | ({"expires": yesterday} if row["name"] == "ended" else {}) for row in rows])
    )
    keys.remove(house.keys_file, "gone")
    ann = house.ann
    return {
        "no key": {},
        "an empty key": {"Authorization": "Bearer"},
        "a guess": bearer("ok_" + secrets.token_urlsafe(32)),
        "a key that has ended": bearer(ended),
        "a key that was taken away": bearer(gone),
        "a key less its last letter": bearer(ann[:-1]),
        "a key with a letter more": bearer(ann + "A"),
        "a key in other letters": bearer(ann.swapcase()),
        "a key without its prefix": bearer(ann.removeprefix("ok_")),
        "the kept hash": bearer(hashlib.sha256(ann.encode()).hexdigest()),
        "a key's name": bearer("ann"),
        "two keys in one": bearer(f"{ann} {house.bob}"),
        "another scheme": {"Authorization": f"Basic {ann}"},
        "no scheme": {"Authorization": ann},
        "a cookie": {"Cookie": f"{COOKIE}={ann}"},
        "another header": {"X-API-Key": ann, "X-Forwarded-User": "ann", "X-Real-IP": "127.0.0.1"},
        "a pattern": bearer("*"),
        "a statement": bearer("' OR '1'='1"),
        "a very long key": bearer("ok_" + "A" * 30_000),
        "a reserved name": bearer("@screenings"),
    }


def _is_open(house: House, operation: str) -> bool:
    return "401" not in house.operations[operation]["responses"]


def test_only_what_is_meant_to_be_open_is(house: House, attempts: Attempts) -> None:
    """Every operation of the document asks for a key, but for those that are listed here with their reason."""
    for operation in house.operations:
        held = not _is_open(house, operation) or operation in OPEN | BY_TOKEN
        attempts.note(f"{operation} asks for no key", held=held)


def test_no_stranger_gets_in(house: House, strangers: dict[str, dict[str, str]], attempts: Attempts) -> None:
    """Whatever is sent in a valid key's stead: 401 with a challenge on every route, one and the same answer."""
    before = house.state()
    for operation in house.operations:
        if _is_open(house, operation):
            continue
        told: set[str] = set()
        for who, headers in strangers.items():
            answer = house.ask(operation, headers)
            told.add(json.dumps({k: v for k, v in answer.json().items() if k != "instance"}))
            held = answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
            attempts.note(f"{operation} with {who}: {answer.status_code}", held=held)
        attempts.note(f"{operation} tells strangers apart", held=len(told) == 1)
    assert house.state() == before


def test_a_key_that_may_nothing_here_gets_nothing(house: House, attempts: Attempts) -> None:
    """A valid key without the right for an operation: 403 or 404, and a list of nothing."""
    idle = bearer(keys.add(house.keys_file, "idle", keys.rights(["read:elsewhere"])))
    before = house.state()
    for operation in house.operations:
        if _is_open(house, operation):
            continue
        answer = house.ask(operation, idle)
        empty = operation == "get /api/v1/collections" and answer.json() == {"collections": []}
        attempts.note(f"{operation}: {answer.status_code}", held=answer.status_code in {403, 404} or empty)
    assert house.state() == before


def test_no_tenant_reaches_another(house: House, attempts: Attempts) -> None:
    """With another's id every operation answers as with one that nobody has: the same status, the same words."""
    before, theirs = house.state(), bearer(house.bob)
    nobody = {"collections": "no-such", "screenings": "0" * 32, "feedback": "x" * 32}
    for operation in house.operations:
        under = operation.split("/")[3] if "/api/v1/" in operation else ""
        if "{" not in operation or operation in BY_TOKEN | OF_NOBODY:
            continue
        real = house.ask(operation, theirs)
        none = house.ask(operation, theirs, name=nobody[under])
        same = _words(real) == _words(none)
        attempts.note(f"{operation}: {real.status_code}", held=real.status_code == 404 and same)
    for path in ("collections", "screenings"):
        listed = house.client.get(f"/api/v1/{path}", headers=theirs)
        attempts.note(f"{path} are listed", held=listed.status_code == 200 and not listed.json()[path])
    assert house.state() == before


def _words(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    return answer.status_code, {k: v for k, v in answer.json().items() if k != "instance"}


def test_no_collection_is_named_by_another_way(house: House, attempts: Attempts) -> None:
    """Fields that name a collection, found in the document, are closed to others as its path is."""
    schemas = house.client.get("/api/v1/openapi.json").text
    assert (
        schemas.count('"collections":{') + schemas.count('"name":"collection"') + schemas.count('"collection":{') >= 3
    )
    theirs = bearer(house.bob)
    for name in ("ann-past", "no-such", "ANN-PAST", "../ann-past", "ann-past/", "*", "@screenings"):
        for operation, field in sorted(NAMING):
            method, _, path = operation.partition(" ")
            body: dict[str, Any] = (
                {"text": TITANIC, field: [name]} if field == "collections" else {"q": "hives", field: name}
            )
            if path.endswith(":batch"):
                body = {"items": [{"text": TITANIC}, body]}
            sent: dict[str, Any] = {"params": body} if method == "get" else {"json": body}
            answer = house.client.request(method, path, headers=theirs, **sent)
            attempts.note(f"{operation} of {name}: {answer.status_code}", held=answer.status_code in {404, 422})
            attempts.note(f"{operation} of {name} tells of hives", held="Forty hives" not in answer.text)


def test_a_reader_writes_nothing(house: House, attempts: Attempts) -> None:
    """A key that may only read what is there changes nothing of it, by whatever operation."""
    reads = bearer(keys.add(house.keys_file, "ann", keys.rights(["read:ann-past", "read:@screenings"])))
    before_keys = house.ann
    try:
        house.ann = reads["Authorization"].removeprefix("Bearer ")
        before = house.state()
        for operation in house.operations:
            method, _, path = operation.partition(" ")
            if method == "get" or not path.startswith(("/api/v1/collections", "/api/v1/screenings")):
                continue
            answer = house.ask(operation, reads)
            attempts.note(f"{operation}: {answer.status_code}", held=answer.status_code == 404)
        assert house.state() == before
    finally:
        every = ["check", "search", "feedback", "write:@screenings", "write:ann-past"]
        house.ann = keys.add(house.keys_file, "ann", keys.rights(every))
    assert house.ann != before_keys


def test_ids_are_not_guessed(house: House, attempts: Attempts) -> None:
    """Neither neighbours of an id that is known, nor forms of it, nor chance lead to anything, with a valid key."""
    name, token = house.ids["screenings"], house.ids["token"]
    near = [f"{(int(name, 16) + step) % 16**32:032x}" for step in (-2, -1, 1, 2)]
    forms = [name.upper(), name[:-1], name + "0", f"{name[:8]}-{name[8:]}", f"{name}%00", f"{name}%20", "%2e%2e", "%25"]
    for guess in [*near, *(secrets.token_hex(16) for _ in range(50)), *(f for f in forms if f != name)]:
        answer = house.client.get(f"/api/v1/screenings/{guess}", headers=bearer(house.ann))
        attempts.note(f"screening {guess}", held=answer.status_code == 404)
    digest = hashlib.sha256(token.encode()).hexdigest()
    for guess in [
        token[:-1],
        token + "A",
        token.swapcase(),
        digest,
        digest[:32],
        f"{digest[:32]}.json",
        "..%2f..%2fkeys",
    ]:
        for method in ("GET", "DELETE"):
            answer = house.client.request(method, f"/api/v1/feedback/{guess}")
            attempts.note(f"note {guess}", held=answer.status_code == 404)
    assert len({house.ids["screenings"], *near}) == 5
    assert house.client.get(f"/api/v1/feedback/{token}").status_code == 200


def test_pages_ask_for_the_same_rights(house: House, attempts: Attempts) -> None:
    """Every page of screenings, from the application's own list: nothing without a key, nothing of another's."""
    given = {"name": house.ids["screenings"], "number": "1", "kind": "csv", "how": "delete"}
    before = house.state()
    routes = [(min(route.methods or ()), route.path) for route in pages.router.routes if isinstance(route, APIRoute)]
    assert len(routes) >= 10
    for method, path in routes:
        if path == "/screenings/key":
            continue  # it keeps what is typed, and tells nobody whether that is a key
        for who, cookie in (("nobody", ""), ("a guess", "ok_guess"), ("another", house.bob)):
            body: dict[str, Any] = {"data": {"verdict": "original", "reason": "because"}} if method == "POST" else {}
            if path == "/screenings" and method == "POST":
                body = {"files": FILE}
            target = path.format(**given)
            answer = house.client.request(method, target, headers={"Cookie": f"{COOKIE}={cookie}"}, **body)
            own = who == "another" and path == "/screenings"  # their own page, with nothing of the first tenant's
            held = (answer.status_code in {200, 303} if own else answer.status_code in {401, 404}) and (
                house.ids["screenings"] not in answer.text.replace(target, "")
            )
            attempts.note(f"{method} {path} by {who}: {answer.status_code}", held=held)
    assert house.state() == before


def test_the_local_door_is_open_to_nobody_else(
    settings: Settings, checker: Checker, tmp_path: Path, attempts: Attempts
) -> None:
    """Where no keys were made, this machine alone may screen: no page from elsewhere, no name that was rebound."""
    own = replace(settings, keys_file=tmp_path / "none.json", screenings_url=f"sqlite:///{tmp_path}/s.db")
    cases = {
        "another site's form": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        "another site's script": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        "a neighbouring site": {"Sec-Fetch-Site": "same-site"},
        "a rebound name": {"Host": "evil.example"},
        "a rebound name with a port": {"Host": "evil.example:8000"},
        "a name that begins like ours": {"Host": "localhost.evil.example"},
        "a number for a name": {"Host": "2130706433"},
    }
    with serving(create_app(own, checker)) as address, httpx.Client(base_url=address) as client:
        for who, headers in cases.items():
            made = client.post("/api/v1/screenings", json={"items": [{"text": "bees"}]}, headers=headers)
            sent = client.post("/screenings", files=FILE, headers=headers)
            attempts.note(
                f"{who}: {made.status_code}, {sent.status_code}", held={made.status_code, sent.status_code} == {401}
            )
    assert not (tmp_path / "s.db").exists()


def test_a_key_is_compared_with_all_in_constant_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: Attempts
) -> None:
    """Hashes of equal length are compared by compare_digest, as often for a first key, a last one and a guess."""
    held = [keys.Key(str(n), hashlib.sha256(str(n).encode()).hexdigest(), {}) for n in range(50)]
    real, compared = secrets.compare_digest, []

    def counting(known: str, given: str) -> bool:
        compared.append(len(known) == len(given) == 64)
        return real(known, given)

    monkeypatch.setattr(secrets, "compare_digest", counting)
    for given in ("0", "49", "a guess", "", "x" * 100_000):
        compared.clear()
        with suppress(AccessDenied):
            keys.identify(held, given)
        attempts.note(f"{len(given)} characters", held=compared == [True] * 50)
    tree = ast.parse(inspect.getsource(keys))
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            told = any(isinstance(n, ast.Attribute) and n.attr == "sha256" for n in ast.walk(node))
            attempts.note(f"line {node.lineno}", held=not told)
