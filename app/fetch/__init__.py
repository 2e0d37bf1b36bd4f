"""Fetches what stands behind people's links: repositories, users, cards, notebooks, any page; guarded and bounded."""

from app.fetch.route import Fetcher, follow

__all__ = ["Fetcher", "follow"]
