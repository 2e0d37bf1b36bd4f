"""What would make this very project its author's own: candidates, and the choice among them once they are judged."""

from __future__ import annotations

from app.advice.compose import control, suggest
from app.advice.handbook import Handbook
from app.advice.selection import NEAR_DUPLICATE, choose, keep, overlap, smallest
from app.advice.trials import Offer, settle
from app.advice.voice import first_person

__all__ = [
    "NEAR_DUPLICATE",
    "Handbook",
    "Offer",
    "choose",
    "control",
    "first_person",
    "keep",
    "overlap",
    "settle",
    "smallest",
    "suggest",
]
