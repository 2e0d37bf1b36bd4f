"""Who may ask what: keys for the whole API where that is set, each with its rights and its share of a minute."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from app import cli, keys
from app.api import create_app
from app.errors import AccessDenied, BadInput, BadSetting
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.checker import Checker

NOTE = {"kind": "proposal", "entry": "dataset", "name": "Seals", "consent": True}
ASKED: dict[str, tuple[str, str, Any]] = {
    "one check": ("POST", "/api/v1/checks", {"text": "titanic"}),
    "a batch": ("POST", "/api/v1/checks:batch", {"items": [{"text": "titanic"}]}),
    "a search": ("GET", "/api/v1/search?q=titanic", None),
    "a posted search": ("POST", "/api/v1/search", {"q": "titanic"}),
    "a page of the catalogue": ("GET", "/api/v1/catalogue", None),
    "an entry": ("GET", "/api/v1/catalogue/titanic", None),
    "a note": ("POST", "/api/v1/feedback", NOTE),
}
SCOPE = {"one check": "check", "a batch": "check", "a note": "feedback"}


@pytest.fixture
def guarded(settings: Settings, checker: Checker, tmp_path: Path) -> Iterator[tuple[TestClient, Path]]:
    """Serve with keys asked for; gives the client and the file of keys."""
    file = tmp_path / "keys.json"
    own = replace(settings, keys_file=file, feedback_dir=tmp_path / "notes", api_keys=True)
    with TestClient(create_app(own, checker)) as client:
        yield client, file


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.model
@pytest.mark.parametrize("what", ASKED)
def test_each_part_wants_its_right(guarded: tuple[TestClient, Path], what: str) -> None:
    """Without a key it's a 401, with all rights but the one a 403 that names it, with that one alone it's done."""
    client, file = guarded
    method, path, body = ASKED[what]
    scope = SCOPE.get(what, "search")
    others = [*(one for one in keys.SCOPES if one != scope), "write:*"]
    narrow, fitting = keys.add(file, "narrow", keys.rights(others)), keys.add(file, "fits", keys.rights([scope]))
    assert client.request(method, path, json=body).status_code == 401
    refused = client.request(method, path, json=body, headers=_bearer(narrow))
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:originality:problem:scope-missing")
    assert f"--may {scope}" in refused.json()["detail"]
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert client.request(method, path, json=body, headers=_bearer(fitting)).status_code == 200


@pytest.mark.model
def test_what_is_watched_and_what_people_see_needs_no_key(guarded: tuple[TestClient, Path]) -> None:
    """Probes, metrics, the description and the page are open."""
    for path in ("/", "/health", "/ready", "/info", "/metrics", "/api/v1/openapi.json", "/catalogue"):
        assert guarded[0].get(path).status_code == 200, path


@pytest.mark.model
def test_a_rotated_key_keeps_its_rights(guarded: tuple[TestClient, Path]) -> None:
    """The new key opens what the old one did; the old one does so too for the days that were granted, and no more."""
    client, file = guarded
    old = keys.add(file, "ci", keys.rights(["check", "read:past"]), per_minute=7)
    new = keys.rotate(file, "ci", keep_days=3)
    for key in (old, new):
        assert client.post("/api/v1/checks", json={"text": "titanic"}, headers=_bearer(key)).status_code == 200
    newest = keys.rotate(file, "ci")
    held = keys.load(file)
    assert [(key.name, key.per_minute) for key in held] == [("ci", 7)]
    assert keys.identify(held, newest).may("read", "past")
    for key in (old, new):
        assert client.post("/api/v1/checks", json={"text": "titanic"}, headers=_bearer(key)).status_code == 401


@pytest.mark.model
def test_a_share_is_the_keys_own(settings: Settings, checker: Checker, tmp_path: Path) -> None:
    """Keys don't use up each other's minute, a key may have its own share, and who sends none has the address's."""
    file = tmp_path / "keys.json"
    small, large = keys.add(file, "a", keys.rights(["search"])), keys.add(file, "b", keys.rights(["search"]), "", 100)
    own = replace(settings, keys_file=file, requests_per_minute=1)
    with TestClient(create_app(own, checker)) as client:
        for headers, left in ((_bearer(small), 0), (_bearer(large), 99), ({}, 0), (_bearer("ok_guess"), None)):
            answer = client.get("/api/v1/catalogue?limit=1", headers=headers)
            told = answer.headers["ratelimit"].split(";")[1]
            assert (answer.status_code, told) == ((429, "r=0") if left is None else (200, f"r={left}"))
        assert client.get("/api/v1/catalogue?limit=1", headers=_bearer(small)).status_code == 429
        assert client.get("/api/v1/catalogue?limit=1", headers=_bearer(large)).status_code == 200


def test_the_old_key_ends_with_its_days(tmp_path: Path) -> None:
    """It holds through its last day, never past the one that it had anyway, and a name that isn't there is told."""
    file, today = tmp_path / "keys.json", dt.date(2027, 1, 1)
    old = keys.add(file, "ci", keys.rights(["check"]))
    keys.rotate(file, "ci", 3, today)
    assert keys.identify(keys.load(file), old, dt.date(2027, 1, 4)).name == "ci"
    with pytest.raises(AccessDenied):
        keys.identify(keys.load(file), old, dt.date(2027, 1, 5))
    short = keys.add(file, "short", keys.rights(["check"]), "2027-01-02")
    keys.rotate(file, "short", 30, today)
    with pytest.raises(AccessDenied):
        keys.identify(keys.load(file), short, dt.date(2027, 1, 3))
    with pytest.raises(BadInput, match="no key of that name"):
        keys.rotate(file, "nobody")


def test_all_collections_are_not_the_whole_api(tmp_path: Path) -> None:
    """The star stands for collections alone, and a scope opens none of them; both are written as they were given."""
    file = tmp_path / "keys.json"
    keys.add(file, "a", keys.rights(["write:*"]))
    keys.add(file, "b", keys.rights(["check", "read:past"]))
    star, scoped = keys.load(file)
    assert not star.may("read", "@check")
    assert scoped.may("read", "@check")
    assert not scoped.may("read", "check")
    assert keys.written(scoped.rights) == ["check", "read:past"]


def test_keys_are_rotated_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made with a scope and a share, listed, and changed for another."""
    file = tmp_path / "keys.json"
    monkeypatch.setenv("ORIGINALITY_KEYS_FILE", str(file))
    for arguments in (
        ["add", "ci", "--may", "check", "--per-minute", "600", "--until", "2031-05-01"],
        ["rotate", "ci", "--keep-days", "1"],
        ["list"],
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main(["keys", *arguments])
        assert ended.value.code == 0
    old, new, *listed = capsys.readouterr().out.splitlines()
    assert {keys.identify(keys.load(file), key).name for key in (old, new)} == {"ci"}
    assert listed[-1] == "ci  check  until 2031-05-01  600 a minute"
    assert len(listed) == 2


@pytest.mark.parametrize(("given", "asks"), [("", None), ("keys", True), ("OPEN", False)])
def test_the_setting_is_open_or_keys(monkeypatch: pytest.MonkeyPatch, given: str, asks: bool | None) -> None:
    """Anything else is refused by name; left out, the address that is listened on decides."""
    monkeypatch.setenv("ORIGINALITY_API_ACCESS", given)
    assert Settings.from_environment().api_keys is asks
    monkeypatch.setenv("ORIGINALITY_API_ACCESS", "maybe")
    with pytest.raises(BadSetting, match="ORIGINALITY_API_ACCESS is neither open nor keys"):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("host", "given", "asks"),
    [
        ("127.0.0.1", "", False),
        ("::1", "", False),
        ("localhost", "", False),
        ("127.0.0.1", "keys", True),
        ("0.0.0.0", "", True),  # noqa: S104  nothing is bound: the service isn't run
        ("example.org", "", True),
        ("0.0.0.0", "open", False),  # noqa: S104
    ],
)
def test_off_loopback_keys_are_asked_for(monkeypatch: pytest.MonkeyPatch, host: str, given: str, asks: bool) -> None:
    """Who serves to other machines asks for keys unless the setting says otherwise."""
    served: list[Settings] = []
    monkeypatch.setenv("ORIGINALITY_API_ACCESS", given)
    monkeypatch.setattr(cli, "_refuse_taken_port", lambda *_: None)
    monkeypatch.setattr("app.console.build", lambda *_: False)
    monkeypatch.setattr("app.logs.configure", lambda *_: None)
    made = SimpleNamespace(state=SimpleNamespace(end=lambda: None))

    def create_app(settings: Settings) -> SimpleNamespace:
        served.append(settings)
        return made

    monkeypatch.setattr("app.api.create_app", create_app)
    monkeypatch.setattr("app.ending.run", lambda app, *_, **__: app is made)
    with pytest.raises(SystemExit):
        cli.main(["serve", "--host", host])
    assert [one.ask_keys for one in served] == [asks]
