"""The page's words in every language: none missing, none left over, and each with the places of its English."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import app
from app import tongues, words
from app.web import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(app.__file__).parent
OTHERS = [one for one in tongues.LANGUAGES if one != tongues.SOURCE]
OPTIONS = {"silent": "false", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}


def _said() -> set[str | tuple[str, str]]:
    """Gather all that the page can say: what stands in its templates, and the closed lists."""
    found = extract_from_dir(
        ROOT / "templates", [("**.html", "jinja2.ext:babel_extract")], options_map={"**.html": OPTIONS}
    )
    return {m if isinstance(m, str) else (m[0], m[1]) for _, _, m, _, _ in found} | {
        *words.closed(),
        *(example.name for example in EXAMPLES),
    }


def _forms(said: str | Sequence[str] | None) -> tuple[str, ...]:
    """Give the forms of a message: one, or one a number."""
    return (said,) if isinstance(said, str) else tuple(said or ())


def _places(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|\{\w+\}", text))


@pytest.mark.parametrize("language", OTHERS)
def test_every_word_is_translated(language: str) -> None:
    """A language's file holds each of the page's words, translated and not in doubt, and no other."""
    with (tongues.FOLDER / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    entries = [message for message in catalogue if message.id]
    known = {tuple(m.id) if isinstance(m.id, list | tuple) else m.id for m in entries}
    assert known == _said()
    for message in entries:
        ours, theirs = _forms(message.id), _forms(message.string)
        assert all(theirs), message.id
        assert not message.fuzzy
        for one, other in zip(ours, theirs, strict=True):
            assert _places(one) == _places(other)


def test_a_sentence_keeps_its_names() -> None:
    """Names of the catalogue stay, words of the closed lists are translated, sentence after sentence."""
    said = tongues.Tongue.open("es").say(
        "The base is familiar (Iris), and it adds a rigorous study, data of one's own. "
        "Put what is new into the first sentence, and take it one step further with a suggestion below."
    )
    assert said.startswith("La base es habitual (Iris), y añade un estudio riguroso, datos propios. Pon lo nuevo")


def test_what_is_not_known_is_marked_as_english() -> None:
    """A sentence without a translation is shown in English, escaped, and says to a screen reader that it is."""
    assert tongues.Tongue.open("pt").say("Odd <b>") == '<span lang="en" dir="ltr">Odd &lt;b&gt;</span>'
    assert tongues.Tongue.open("en").say("Odd <b>") == "Odd <b>"


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "chosen"),
    [
        ("", "", "", "en"),
        ("pt", "es", "en", "pt"),
        ("xx", "es", "en", "es"),
        ("", "", "fr, es-MX;q=0.7, pt;q=0.9", "pt"),
        ("", "", "es;q=0, en;q=0.1", "en"),
        ("", "", "PT-br", "pt"),
        ("", "", ",;q=,es;q=9;, <script>", "en"),
    ],
)
def test_a_language_is_chosen(asked: str, kept: str, accepted: str, chosen: str) -> None:
    """What is asked for goes before what was kept, that before what is accepted, and English is left."""
    assert tongues.choose(asked, kept, accepted) == chosen


def test_numbers_are_written_as_the_language_does() -> None:
    """A thousand is set apart as readers expect."""
    assert [tongues.Tongue.open(one).number(200_000) for one in ("en", "es")] == ["200,000", "200.000"]
