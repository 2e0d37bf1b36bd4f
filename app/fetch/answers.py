"""Takes values out of a service's JSON, of which nothing is sure: what has another form than expected is empty."""

from __future__ import annotations

from typing import Any


def mapping(value: Any) -> dict[str, Any]:
    """Take an object."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Take the objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(found: Any, *path: str) -> str:
    """Take a text, some fields deep; half characters in it, that no address can hold, become question marks."""
    for name in path:
        found = mapping(found).get(name)
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else ""


def texts(value: Any) -> list[str]:
    """Take the texts of a list."""
    return [text(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []


def number(found: Any, name: str) -> int:
    """Take a whole number; zero if it is none."""
    value = mapping(found).get(name)
    return value if isinstance(value, int) else 0
