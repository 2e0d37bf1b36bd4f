"""Knows who is behind a screening, so that they can be hidden: candidates, and the accounts that their links name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HOSTS = ("github.com", "gitlab.com", "huggingface.co", "hf.co", "kaggle.com", "bitbucket.org", "github.io")
_NO_ACCOUNTS = {"code", "datasets", "spaces", "models", "competitions", "orgs", "notebooks"}


@dataclass(frozen=True, slots=True)
class People:
    """Who is to be hidden.

    Attributes:
        called: each candidate's number instead of their name.
        names: all words by which somebody can be told: candidates and accounts.
    """

    called: Mapping[str, str]
    names: tuple[str, ...]

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> People:
        """Gather them from candidates and links in the order of what was sent."""
        candidates = list(dict.fromkeys(candidate for candidate, _ in pairs if candidate))
        accounts = (account(link) for _, link in pairs)
        called = {name: f"Candidate {n}" for n, name in enumerate(candidates, start=1)}
        return cls(called, tuple(dict.fromkeys([*candidates, *filter(None, accounts)])))


def account(link: str) -> str:
    """Give the account that a link names; empty where it names none."""
    try:
        url = urlsplit(link)
    except ValueError:
        return ""
    host = (url.hostname or "").removeprefix("www.")
    if host.endswith(".github.io"):
        return host.removesuffix(".github.io")
    parts = [part for part in url.path.split("/") if part]
    if not host.endswith(_HOSTS):
        return ""
    return next((part for part in parts[:2] if part.lower() not in _NO_ACCOUNTS), "")
