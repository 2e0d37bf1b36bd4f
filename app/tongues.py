"""Says the page's words in its languages: one translation file each, checked against the English that it translates."""

from __future__ import annotations

import gettext
import io
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from markupsafe import Markup, escape

from app import words

if TYPE_CHECKING:
    from collections.abc import Mapping

K = TypeVar("K")

SOURCE = "en"
LANGUAGES = {SOURCE: "English", "es": "Español", "pt": "Português"}
FOLDER = Path(__file__).resolve().parent / "locales"

_WEIGHED = re.compile(r"\s*([a-z]{1,8})(?:-[a-z0-9-]{1,20})?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.IGNORECASE)
_PLACE = re.compile(r"\\\{(\w+)\\\}")
_LISTED = re.compile(r"(, | and )")


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of the page."""

    language: str
    translations: gettext.NullTranslations

    @classmethod
    def open(cls, language: str) -> Tongue:
        """Read a language's words; ``language`` is one of ``LANGUAGES``."""
        return cls(language, _translations(language))

    def word(self, text: str) -> str:
        """Translate a word or sentence out of the closed lists; any other text comes back as it is."""
        return self.translations.gettext(text) if text else text

    def table(self, given: Mapping[K, str]) -> dict[K, str]:
        """Translate a table's values."""
        return {key: self.word(value) for key, value in given.items()}

    def number(self, value: float) -> str:
        """Write a number as the language does."""
        from babel.numbers import format_decimal  # noqa: PLC0415  the terminal does without

        return format_decimal(value, locale=self.language)

    def say(self, text: str) -> str | Markup:
        """Say what a stage said: translated where every sentence is known, else in English and marked as such."""
        if self.language == SOURCE or not text:
            return text
        said = self._sentences(text)
        return Markup('<span lang="en" dir="ltr">') + escape(text) + Markup("</span>") if said is None else said

    def can_say(self, text: str) -> bool:
        """Tell whether the language has words for what a stage said."""
        return self.language == SOURCE or self._sentences(text) is not None

    def _sentences(self, text: str) -> str | None:
        said = []
        while text:
            found = next(((p, m) for p, known in _patterns() if (m := known.match(text))), None)
            if found is None:
                return None
            places = {name: self._listed(value) for name, value in found[1].groupdict().items()}
            said.append(self.word(found[0]).format(**places))
            text = text[found[1].end() :]
        return " ".join(said)

    def _listed(self, value: str) -> str:
        """Translate what stands in a sentence's place: names stay, words out of the closed lists don't."""
        whole = self.word(value)
        return whole if whole != value else "".join(self.word(part) for part in _LISTED.split(value))


def choose(asked: str, kept: str, accepted: str) -> str:
    """Choose the language: the one asked for, else the one kept from before, else the likeliest that is accepted.

    Args:
        accepted: an Accept-Language header (RFC 9110); what can't be read in it is passed over.
    """
    for one in (asked, kept):
        if one in LANGUAGES:
            return one
    weighed = [(float(m[2] or 1), m[1].lower()) for part in accepted.split(",")[:20] if (m := _WEIGHED.fullmatch(part))]
    fit = sorted((one for one in weighed if one[0] > 0 and one[1] in LANGUAGES), key=lambda one: -one[0])
    return fit[0][1] if fit else SOURCE


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Give every known sentence with what finds it again at the beginning of a text."""
    return tuple(
        (s, re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(s)) + r"(?:\s+|$)", re.DOTALL)) for s in words.SENTENCES
    )


@cache
def _translations(language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415  the terminal does without
    from babel.messages.pofile import read_po  # noqa: PLC0415

    # Compiled at the start, some ten milliseconds: a compiled file beside the source would be one that can be stale.
    compiled = io.BytesIO()
    with (FOLDER / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
