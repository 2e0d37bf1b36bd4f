"""Completes the OpenAPI document: what leads where, keys, headers, examples, and the true media type of faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = Path(__file__).resolve().parent / "examples.json"
HEADERS = {
    "Location": ("Where its progress is told.", {"type": "string"}),
    "Retry-After": ("Seconds after which it is worth while to ask again.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": ("How a key is sent.", {"type": "string"}),
}
_BODY = "$response.body#/"
_SCREENING = {"name": f"{_BODY}id"}
_MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "progress": ("get /api/v1/screenings/{name}", _SCREENING),
    "events": ("get /api/v1/screenings/{name}/events", _SCREENING),
    "results": ("get /api/v1/screenings/{name}/results", _SCREENING),
    "pairs": ("get /api/v1/screenings/{name}/pairs", _SCREENING),
    "overrides": ("get /api/v1/screenings/{name}/overrides", _SCREENING),
    "export": ("get /api/v1/screenings/{name}/export.{kind}", _SCREENING),
    "override": ("put /api/v1/screenings/{name}/results/{number}/override", {**_SCREENING, "number": 1}),
    "move": ("put /api/v1/screenings/{name}/{how}", _SCREENING),
    "delete": ("delete /api/v1/screenings/{name}", _SCREENING),
}
LINKS: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "post /api/v1/checks": {"match": ("get /api/v1/catalogue/{entry}", {"entry": f"{_BODY}matches/0/entry"})},
    "get /api/v1/catalogue": {
        "entry": ("get /api/v1/catalogue/{entry}", {"entry": f"{_BODY}items/0/id"}),
    },
    "get /api/v1/collections": {
        "rows": ("get /api/v1/collections/{name}/rows", {"name": f"{_BODY}collections/0/name"}),
    },
    "post /api/v1/collections/{name}/rows": {
        "rows": ("get /api/v1/collections/{name}/rows", {"name": f"{_BODY}name"}),
        "search": ("get /api/v1/search", {"collection": f"{_BODY}name"}),
        "remove": (
            "delete /api/v1/collections/{name}/rows/{row}",
            {"name": f"{_BODY}name", "row": "$request.body#/rows/0/id"},
        ),
        "delete": ("delete /api/v1/collections/{name}", {"name": f"{_BODY}name"}),
    },
    "post /api/v1/feedback": {
        "note": ("get /api/v1/feedback/{token}", {"token": f"{_BODY}token"}),
        "delete": ("delete /api/v1/feedback/{token}", {"token": f"{_BODY}token"}),
    },
    "post /api/v1/screenings": _MADE,
    "post /api/v1/screenings:upload": _MADE,
    "get /api/v1/screenings": {
        "progress": ("get /api/v1/screenings/{name}", {"name": f"{_BODY}screenings/0/id"}),
    },
    "get /api/v1/screenings/{name}/results": {
        "next": (
            "get /api/v1/screenings/{name}/results",
            {"name": "$request.path.name", "after": f"{_BODY}next"},
        ),
        "override": (
            "put /api/v1/screenings/{name}/results/{number}/override",
            {"name": "$request.path.name", "number": f"{_BODY}results/0/number"},
        ),
    },
}
"""From an operation's good answer to what it leads to: a name, the operation, and where its parameters come from."""


def complete(schema: dict[str, Any], *, keys: bool) -> dict[str, Any]:
    """Complete a document in its place.

    Args:
        schema: as the framework makes it.
        keys: whether the whole API asks for keys, and not collections alone.
    """
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    operations = {f"{method} {path}": one for path, some in schema["paths"].items() for method, one in some.items()}
    schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    schema["components"]["headers"] = {
        name: {"description": said, "required": True, "schema": form} for name, (said, form) in HEADERS.items()
    }
    for address, operation in operations.items():
        _illustrate(operation, examples.get(address, {}))
        if "401" in operation["responses"]:
            always = keys or "/collections" in address
            operation["security"] = [{"key": []}] if always else [{}, {"key": []}]
    for address, links in LINKS.items():
        good = next(answer for status, answer in operations[address]["responses"].items() if status < "300")
        good["links"] = {name: _link(operations[target], given) for name, (target, given) in links.items()}
    return schema


def _link(target: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"operationId": target["operationId"], "parameters": dict(parameters)}


def _illustrate(operation: dict[str, Any], examples: dict[str, Any]) -> None:
    """Put an operation's examples in their places."""
    if "requests" in examples:
        operation["requestBody"]["content"]["application/json"]["examples"] = examples["requests"]
    for status, answer in operation["responses"].items():
        media = answer.get("content", {}).pop("application/json", None)
        if media is None:
            continue
        if status >= "400":
            answer["content"]["application/problem+json"] = media
        else:
            answer["content"]["application/json"] = media | (
                {"example": examples["answer"]} if "answer" in examples else {}
            )
