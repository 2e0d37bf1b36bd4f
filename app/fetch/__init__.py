"""Fetches what stands behind people's links: repositories, users, cards, notebooks, any page; guarded and bounded."""

from app.fetch.route import Fetcher, follow, is_project
from app.fetch.web import LIMITS as WEB_LIMITS
from app.fetch.web import Web

__all__ = ["WEB_LIMITS", "Fetcher", "Web", "follow", "is_project"]
