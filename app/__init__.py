"""The originality checker: what a portfolio project rests on, how worn that is, and what would make it one's own."""

__version__ = "0.1.0"
