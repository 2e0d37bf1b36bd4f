"""The OpenAPI document and the service say the same: schemathesis asks for all, briefly here, at length by a script."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app import contract, keys, store
from app.api import create_app
from app.collection import Collections
from app.described import LINKS
from app.screenings import bodies, webhooks
from scripts import fuzz_contract
from tests.live_service import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.checker import Checker
    from app.settings import Settings
    from scripts.fuzz_contract import Asked


SECRET = webhooks.PREFIX + base64.b64encode(bytes(32)).decode()


@pytest.fixture(scope="module")
def house(settings: Settings, checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve for real, with keys asked for; gives the address and a key that allows all."""
    folder = tmp_path_factory.mktemp("contract")
    own = replace(
        settings,
        keys_file=folder / "keys.json",
        collections_dir=folder / "collections",
        feedback_dir=folder / "notes",
        screenings_url=f"sqlite:///{folder}/screenings.db",
        api_keys=True,
    )
    before, checker.collections = checker.collections, Collections(own.collections_dir, checker._encoder.name)
    key = keys.add(own.keys_file, "contract", keys.rights(fuzz_contract.RIGHTS))
    with serving(create_app(own, checker)) as address:
        yield address, key
    checker.collections = before


def held(asked: Asked) -> bool:
    """Tell whether all of the document was asked for, and nothing failed."""
    operations = asked.report["operations"]
    return asked.failures == 0 and operations["tested"] == operations["total"] >= 30


@pytest.mark.model
def test_the_service_keeps_to_its_document(house: tuple[str, str]) -> None:
    """Every operation, asked rightly and wrongly and along its links, answers as the document says; keys are asked for.

    The edges of every field, a thousand requests more, are the script's: ``scripts/fuzz_contract.py``.
    """
    asked = fuzz_contract.ask(*house, examples=3, phases=("examples", "fuzzing", "stateful"))
    assert held(asked), asked.told


@pytest.mark.model
@pytest.mark.parametrize("path", ["/api/v1/screenings/{name}/{how}", "/metrics"])
def test_the_edges_of_fields_are_where_the_document_says(house: tuple[str, str], path: str) -> None:
    """Just inside every documented limit is taken, just outside refused; methods that aren't documented are a 405."""
    asked = fuzz_contract.ask(*house, examples=1, phases=("coverage",), only=path)
    assert asked.failures == 0, asked.told
    assert asked.report["test_cases"]["generated"] > 5


@pytest.mark.model
def test_what_breaks_the_document_is_found(settings: Settings, checker: Checker, tmp_path: Path) -> None:
    """The run itself can fail: of a service that isn't as it is described, every kind of lie is told."""
    app = create_app(replace(settings, keys_file=tmp_path / "keys.json", api_keys=True), checker)
    described = app.openapi()
    entry = described["paths"]["/api/v1/catalogue/{entry}"]["get"]
    del entry["responses"]["404"]
    ready = described["paths"]["/ready"]["get"]
    ready["security"] = [{"key": []}]
    ready["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    key = keys.add(tmp_path / "keys.json", "contract", keys.rights(fuzz_contract.RIGHTS))
    with serving(app) as address:
        told = [
            fuzz_contract.ask(address, key, 3, ("fuzzing",), only=path)
            for path in ("/ready", "/api/v1/catalogue/{entry}")
        ]
    kinds = {failure["type"] for asked in told for failure in asked.report["failures"]}
    assert {"UndefinedStatusCode", "JsonSchemaError", "IgnoredAuth"} <= kinds


# --- what the document leads to --------------------------------------------------------------------------------------


@pytest.mark.model
def test_links_lead_to_what_they_name(house: tuple[str, str]) -> None:
    """Every link's operation is there and takes the parameters that it is given."""
    document = httpx.get(f"{house[0]}/api/v1/openapi.json").json()
    taken = {
        operation["operationId"]: {one["name"] for one in operation.get("parameters", [])}
        for operations in document["paths"].values()
        for operation in operations.values()
    }
    found = [
        link
        for operations in document["paths"].values()
        for operation in operations.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(found) == sum(map(len, LINKS.values()))
    assert all(set(link["parameters"]) <= taken[link["operationId"]] for link in found)


@pytest.mark.model
@pytest.mark.parametrize("method", ["OPTIONS", "PATCH", "PUT"])
def test_a_wrong_method_is_told_all_the_right_ones(house: tuple[str, str], method: str) -> None:
    """The Allow header names what the address answers, whichever route comes first."""
    for path, allowed in (
        ("/api/v1/search", "GET, POST"),
        ("/api/v1/screenings/x", "GET, DELETE"),
        ("/api/v1/screenings/x/results", "GET"),
        ("/api/v1/screenings/x/pause", "PUT"),
        ("/api/v1/feedback/x", "GET, DELETE"),
        ("/api/v1/collections/x/rows", "GET, POST"),
    ):
        if method not in allowed:
            answer = httpx.request(method, house[0] + path)
            assert (answer.status_code, answer.headers["allow"]) == (405, allowed), path


@pytest.mark.model
def test_numbers_of_json_are_taken_as_it_has_them(house: tuple[str, str]) -> None:
    """3.0 is the integer 3 to JSON Schema, and 3.5 is none."""
    url, key = house
    mine = {"Authorization": f"Bearer {key}"}
    good = httpx.post(f"{url}/api/v1/search", json={"q": "bees", "k": 3.0, "tier": [1.0, 2]}, headers=mine)
    assert len(good.json()["hits"]) == 3
    for wrong in ({"k": 3.5}, {"k": "3"}, {"k": True}, {"tier": [0]}, {"tier": [1.5]}, {"k": 1e300}):
        assert httpx.post(f"{url}/api/v1/search", json={"q": "bees"} | wrong, headers=mine).status_code == 422, wrong


@pytest.mark.model
def test_halves_of_characters_break_nothing(house: tuple[str, str]) -> None:
    """JSON can carry lone surrogates in every text: none of them ends in a status of 500 and above."""
    half = "\ud800"
    bodies_sent: list[tuple[str, dict[str, Any]]] = [
        ("checks", {"text": "bees", "title": f"hives {half}", "id": half, "language": half, "about": {"place": half}}),
        ("checks:batch", {"items": [{"text": "bees", "title": half}, {"text": "titanic with a random forest"}]}),
        ("search", {"q": f"bees {half}", "modality": []}),
        ("search", {"q": "bees", "task": [half]}),
        ("search", {"q": "bees", "collection": half}),
        ("screenings", {"items": [{"url": f"https://example.org/{half}", "candidate": half}], "fetch": True}),
        ("screenings", {"items": [{"text": "a"}], "webhook": {"url": f"https://x/{half}", "secret": SECRET}}),
        ("feedback", {"kind": "proposal", "entry": "dataset", "name": half, "consent": True}),
        ("collections/a/rows", {"rows": [{"id": half, "name": half}]}),
    ]
    headers = {"Authorization": f"Bearer {house[1]}", "Content-Type": "application/json"}
    for path, body in bodies_sent:
        answer = httpx.post(f"{house[0]}/api/v1/{path}", content=json.dumps(body), headers=headers, timeout=60)
        assert answer.status_code in {200, 202, 422}, (path, answer.text)


# --- documented forms are those that are held ------------------------------------------------------------------------


def test_the_documented_name_of_a_collection_is_the_one_that_is_held() -> None:
    """The document's form and the rule's are the same."""
    assert f"^{store.NAME_FORM.pattern}$" == contract.NAME_FORM


def test_the_documented_secret_is_the_one_that_is_held() -> None:
    """Whatever the document's form fits is taken, and every secret that is made as it should be fits."""
    bare = ["A" * count + end for count in range(28, 92) for end in ("", "=", "==")]
    for secret in [f"whsec_{one}" for one in bare] + bare:
        if re.fullmatch(bodies.SECRET_FORM, secret):
            assert webhooks.LEAST_BYTES <= len(webhooks.secret_bytes(secret)) <= webhooks.MOST_BYTES
    for count in range(20, 70):
        fits = re.fullmatch(bodies.SECRET_FORM, webhooks.PREFIX + base64.b64encode(bytes(count)).decode())
        assert bool(fits) == (webhooks.LEAST_BYTES <= count <= webhooks.MOST_BYTES)
