"""Collections over the API: a key opens its own and no other, and what is near is shown beside the verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from app import keys
from app.api import create_app
from app.collection import Collections
from app.described import EXAMPLES
from app.neighbours import NEAR_AT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.checker import Checker
    from app.settings import Settings

pytestmark = pytest.mark.model

OURS = "/api/v1/collections"
BEES = "We weighed forty hives every night for two winters and predict from the scales which colony will starve."
ROWS = [
    {"id": "2024/bees", "name": "Hungry hives", "about": BEES, "url": "https://example.org/bees"},
    {
        "id": "2024/trams",
        "name": "Late trams",
        "about": "Which trams of our town come late after rain, by their log.",
    },
]


class Caller:
    """Talks to the service with one key."""

    def __init__(self, client: TestClient, key: str) -> None:
        """Remember both."""
        self.client, self.headers = client, {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Send, and give the answer."""
        return self.client.request(method, path, json=body, headers=self.headers)


@pytest.fixture
def service(settings: Settings, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve collections of a fresh folder, and give the callers: one who reads, one who writes, one with no key."""
    own = replace(settings, collections_dir=tmp_path / "collections", keys_file=tmp_path / "keys.json")
    monkeypatch.setattr(checker, "collections", Collections(own.collections_dir, checker._encoder.name))
    with TestClient(create_app(own, checker)) as client:
        yield {
            "reads": Caller(client, keys.add(own.keys_file, "reads", {"past": "read"})),
            "writes": Caller(client, keys.add(own.keys_file, "writes", {"past": "write"})),
            "other": Caller(client, keys.add(own.keys_file, "other", {"drafts": "write"})),
            "keeps": Caller(client, keys.add(own.keys_file, "keeps", {"*": "write"})),
            "nobody": Caller(client, ""),
            "guesses": Caller(client, "ok_guess"),
        }


def test_rows_are_added_found_and_removed(service: dict[str, Caller]) -> None:
    """The whole life of a collection over REST."""
    reads, writes = service["reads"], service["writes"]
    assert writes("POST", f"{OURS}/past/rows", {"rows": ROWS}).json() == {"name": "past", "rows": 2, "version": 1}
    assert reads("GET", OURS).json() == {"collections": [{"name": "past", "rows": 2, "version": 1}]}
    page = reads("GET", f"{OURS}/past/rows?offset=1&limit=1").json()
    assert (page["total"], page["offset"], [row["id"] for row in page["rows"]]) == (2, 1, ["2024/trams"])
    hits = reads("GET", "/api/v1/search?q=bee colonies and their weight&collection=past&k=1").json()["hits"]
    assert [(hit["entry"], hit["url"]) for hit in hits] == [("2024/bees", "https://example.org/bees")]
    assert writes("DELETE", f"{OURS}/past/rows/2024/bees").json() == {"name": "past", "rows": 1, "version": 2}
    assert writes("DELETE", f"{OURS}/past/rows/2024/bees").status_code == 404
    assert writes("DELETE", f"{OURS}/past").status_code == 204
    assert reads("GET", f"{OURS}/past/rows").status_code == 404


def test_a_check_shows_what_is_near_beside_the_verdict(service: dict[str, Caller]) -> None:
    """A project much like a past one has it among its neighbours, with the sentences; the verdict is as without."""
    service["writes"]("POST", f"{OURS}/past/rows", {"rows": ROWS})
    text = BEES.replace("forty", "thirty") + " A beekeepers' club reads the warnings on paper."
    alone = service["nobody"]("POST", "/api/v1/checks", {"text": text}).json()
    beside = service["reads"]("POST", "/api/v1/checks", {"text": text, "collections": ["past"]}).json()
    near = beside.pop("neighbours")
    assert [(n["collection"], n["entry"], n["name"]) for n in near] == [("past", "2024/bees", "Hungry hives")]
    assert NEAR_AT <= near[0]["cosine"] < 1
    assert near[0]["evidence"][0]["quote"].startswith("We weighed thirty hives")
    assert alone.pop("neighbours") == []
    assert beside == alone
    unlike = service["reads"](
        "POST", "/api/v1/checks", {"text": "titanic survival w/ logistic regression", "collections": ["past"]}
    )
    assert unlike.json()["neighbours"] == []


ASKED: list[tuple[str, str, Any]] = [
    ("GET", f"{OURS}/past/rows", None),
    ("POST", f"{OURS}/past/rows", {"rows": ROWS}),
    ("DELETE", f"{OURS}/past/rows/2024/bees", None),
    ("DELETE", f"{OURS}/past", None),
    ("GET", "/api/v1/search?q=bees&collection=past", None),
    ("POST", "/api/v1/search", {"q": "bees", "collection": "past"}),
    ("POST", "/api/v1/checks", {"text": BEES, "collections": ["past"]}),
    ("POST", "/api/v1/checks:batch", {"items": [{"text": BEES}, {"text": BEES, "collections": ["past"]}]}),
]


@pytest.mark.parametrize(("method", "path", "body"), ASKED)
def test_other_keys_see_nothing(service: dict[str, Caller], method: str, path: str, body: Any) -> None:
    """No key and a wrong key are told to bring one; another's key hears the same as where there is no collection."""
    service["writes"]("POST", f"{OURS}/past/rows", {"rows": ROWS})
    for who in ("nobody", "guesses"):
        answer = service[who](method, path, body)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    there = service["other"](method, path, body)
    service["writes"]("DELETE", f"{OURS}/past")
    gone = service["other"](method, path, body)
    assert (there.status_code, there.json()["detail"]) == (gone.status_code, gone.json()["detail"])
    assert there.status_code == 404
    assert service["other"]("GET", OURS).json() == {"collections": []}


@pytest.mark.parametrize(("method", "path", "body"), ASKED[1:4])
def test_reading_is_not_writing(service: dict[str, Caller], method: str, path: str, body: Any) -> None:
    """A key that may read changes nothing."""
    service["writes"]("POST", f"{OURS}/past/rows", {"rows": ROWS})
    assert service["reads"](method, path, body).status_code == 404
    assert service["reads"]("GET", OURS).json()["collections"] == [{"name": "past", "rows": 2, "version": 1}]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"rows": []}, "errors says where"),
        ({"rows": [{"id": "a", "name": "b"}] * 2}, "Two rows have the same id"),
        ({"rows": [{"id": "a", "name": "b", "url": "ftp://x"}]}, "Field 'url' is no web address"),
        ({"rows": [{"id": "a", "name": "b", "surprise": 1}]}, "errors says where"),
    ],
)
def test_bad_rows_add_nothing(service: dict[str, Caller], body: Any, says: str) -> None:
    """All rows are taken, or none, with the reason."""
    answer = service["writes"]("POST", f"{OURS}/past/rows", body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert service["reads"]("GET", OURS).json() == {"collections": []}


def test_a_name_that_is_none(service: dict[str, Caller]) -> None:
    """A path in place of a name reaches nothing, even with a key to everything."""
    for name in ("..%2Fcatalogue", "Past", "a b"):
        assert service["writes"]("GET", f"{OURS}/{name}/rows").status_code == 404


def test_the_examples_are_real(service: dict[str, Caller]) -> None:
    """Every documented request about collections is taken, and answered as documented, one after the other."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    ours = {address: shown for address, shown in examples.items() if "/collections" in address}
    assert len(ours) == 4
    for address, shown in ours.items():
        method, _, path = address.partition(" ")
        body = shown["requests"]["one"]["value"] if "requests" in shown else None
        filled = path.replace("{name}", "past-projects").replace("{row}", "2024-017")
        assert service["keeps"](method.upper(), filled, body).json() == shown["answer"]
