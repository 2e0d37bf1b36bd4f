"""Fetches what stands behind people's links: repositories, users, cards, notebooks, any page; guarded and bounded."""

from app.fetch.route import Fetcher, follow
from app.fetch.web import Web

__all__ = ["Fetcher", "Web", "follow"]
