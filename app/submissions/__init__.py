"""Reads what people hand in, whatever form it has: one ``Item`` a project, with its text, or a link, or its error."""

from app.submissions.columns import parse as parse_columns
from app.submissions.item import LIMITS, Columns, Item, Limits
from app.submissions.kinds import ALL as KINDS
from app.submissions.kinds import read
from app.submissions.paths import items

__all__ = ["KINDS", "LIMITS", "Columns", "Item", "Limits", "items", "parse_columns", "read"]
