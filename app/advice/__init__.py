"""What would make this very project its author's own: candidates, and the choice among them once they are judged."""

from __future__ import annotations

from app.advice.compose import suggest
from app.advice.handbook import Handbook
from app.advice.selection import choose, keep, smallest

__all__ = ["Handbook", "choose", "keep", "smallest", "suggest"]
