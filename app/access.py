"""Who is asking over the API: the key of a request, what it opens, and whose share the request counts against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import keys
from app.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import Request

    from app.keys import Key, Right, Scope
    from app.serving import Service


def key_of(request: Request, service: Service) -> Key:
    """Find the request's key.

    Raises:
        AccessDenied: if it has none that is valid.
        KeysUnusable: if the keys can't be read.
    """
    return keys.identify(keys.load(service.settings.keys_file), _sent(request))


def require(request: Request, service: Service, right: Right, names: Iterable[str]) -> None:
    """See that the request's key allows something with every one of these collections; none need no key.

    Raises:
        AccessDenied: if it doesn't.
        KeysUnusable: if the keys can't be read.
    """
    wanted = list(names)
    if wanted:
        key = key_of(request, service)
        for name in wanted:
            keys.admit(key, right, name)


def admit(request: Request, service: Service, scope: Scope | None = None, cost: int = 1) -> dict[str, str]:
    """Let a request of the API in: its key first, where one is asked for, then its share of the minute.

    Args:
        scope: what its key has to allow where the whole API asks for keys; none where a collection's right decides.
        cost: how many of the minute's requests it stands for.

    Returns:
        The RateLimit headers for the answer; none where there is no limit.

    Raises:
        AccessDenied: if a key is asked for and the request has none that allows this.
        KeysUnusable: if the keys can't be read.
        TooManyRequests: if the share of the key, or of the address where there is no key, is used up.
    """
    key = _key(request, service)
    if scope is not None and service.settings.ask_keys:
        keys.allow(key or key_of(request, service), scope)
    if key is None:
        return service.admit(request, cost)
    return service.admit(request, cost, f"key:{key.name}", key.per_minute)


def _key(request: Request, service: Service) -> Key | None:
    """Find the request's key; one that isn't ours is none, and counts against its address."""
    if not _sent(request):
        return None
    try:
        return key_of(request, service)
    except AccessDenied:
        return None


def _sent(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""
