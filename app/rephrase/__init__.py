"""Words the chosen suggestions anew in the author's language, by a language model of the operator's choice, if any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.rephrase.drafts import SENT_CHARS

if TYPE_CHECKING:
    from app.rephrase.rephraser import Rephraser
    from app.settings import LanguageModel

__all__ = ["SENT_CHARS", "opened"]


def opened(chosen: LanguageModel | None) -> Rephraser | None:
    """Open what the settings choose; None, and nothing ever leaves the machine, where they choose none.

    Raises:
        BadSetting: if the address is none.
    """
    if chosen is None:
        return None
    from app.rephrase.endpoint import Endpoint  # noqa: PLC0415  brings a web client, which most services never need
    from app.rephrase.rephraser import Rephraser  # noqa: PLC0415  likewise

    return Rephraser(Endpoint(chosen), chosen)
