"""Tells whose screenings a request may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import keys
from app.access import key_of
from app.errors import AccessDenied

if TYPE_CHECKING:
    from fastapi import Request

    from app.serving import Service

RESOURCE = "@screenings"
"""What a key's right is given for: ``originality keys add NAME --may write:@screenings``."""
LOCAL = "local"
"""Owner of what a loopback caller makes where there are no keys; no key can have it, for keys have their prefix."""
LOOPBACK = {"127.0.0.1", "::1"}
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


COOKIE = "screenings-key"


def owner_of(request: Request, service: Service, right: keys.Right) -> str:
    """Tell whose screenings a request may see.

    Where no keys were made and none are asked for, a caller on the same machine needs none, unless a foreign page sent
    it: a browser would carry out what any page asks of localhost.

    Raises:
        AccessDenied: if it may not.
        KeysUnusable: if the keys can't be read.
    """
    return _local(request, service) or _owner(key_of(request, service), right)


def page_owner(request: Request, service: Service, right: keys.Right) -> str:
    """Tell the same of a person's browser, which keeps its key in a cookie.

    Raises:
        AccessDenied: if it may not.
        KeysUnusable: if the keys can't be read.
    """
    if local := _local(request, service):
        return local
    return _owner(keys.identify(keys.load(service.settings.keys_file), request.cookies.get(COOKIE, "")), right)


def _local(request: Request, service: Service) -> str:
    if service.settings.ask_keys or keys.load(service.settings.keys_file):
        return ""
    here = request.client is not None and request.client.host in LOOPBACK
    foreign = request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    # A link from elsewhere may open a page; only asking for a change, or by a script, is refused.
    opened = request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"
    return LOCAL if here and (opened or not foreign) and request.url.hostname in LOCAL_NAMES else ""


def _owner(key: keys.Key, right: keys.Right) -> str:
    given = key.rights.get(RESOURCE)
    if given != "write" and given != right:
        raise AccessDenied("There are no screenings, or this key may not do that with them.", known=True)
    return f"key:{key.name}"
