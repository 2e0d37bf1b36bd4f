"""Words the chosen suggestions anew in the author's language, by a language model of the operator's choice, if any."""

from app.rephrase.drafts import SENT_CHARS
from app.rephrase.rephraser import Rephraser, opened

__all__ = ["SENT_CHARS", "Rephraser", "opened"]
