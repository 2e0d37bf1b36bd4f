"""Reading a text at the door: what comes in may be anything, what goes out keeps its promises."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import intake
from app.errors import BadInput, TextTooLong, TextUnusable

if TYPE_CHECKING:
    from app.records import Brief

ANYTHING = st.characters(exclude_categories=())
"""Every code point: lone surrogates, NUL, right-to-left marks and emoji among them."""
PIECES = st.sampled_from(
    [
        "I measured rain on our roof. ", "Does it flood? ", "# Title\n", "## Installation\n", "- item\n", "1. first\n",
        "```\n", "    indented\n", "| a | b |\n|---|---|\n", "<!-- ", " -->", "<script>", "</script>", "<b>", "</b>",
        "![x](y.png)", "[a](http://b.c)", "https://d.e/f", "...", "!", "。", "雨を測る", "שלום", "🌧️", "\x00", "\ud800",
        "\r\n", "\n\n", "\u2028", "\u200b", "&amp;", "pip install x\n", "_", "*", "~~", "\t", "e.g. ", "\u3000",
        "x" * 600,
    ]
)  # fmt: skip
LONG = intake.MAX_CHARS // 4
TEXTS = st.one_of(st.text(ANYTHING, max_size=300), st.lists(PIECES, max_size=40).map("".join))


def texts_of(text: str) -> list[str]:
    """Give the sentences of a text."""
    return [s.text for s in intake.read(text).sentences]


# --- properties ------------------------------------------------------------------------------------------------------


def tried(text: str) -> Brief | None:
    """Read a text, or give None where it is refused in a full sentence as one of the two kinds of bad text."""
    try:
        return intake.read(text)
    except (TextUnusable, TextTooLong) as error:
        if not str(error).endswith("."):
            raise
        return None


@given(TEXTS)
def test_any_text_becomes_a_brief_or_an_error_that_says_what_to_do(text: str) -> None:
    """Sentences lie inside the text, in its order and apart; counted ones hold words; nothing else is ever raised."""
    brief = tried(text)
    if brief is None:
        return
    assert brief.text == text
    at = 0
    for sentence in brief.sentences:
        assert at <= sentence.span.start < sentence.span.end <= len(text)
        at = sentence.span.end
        assert 0 < len(sentence.text) <= intake.MAX_SENTENCE_CHARS
        assert sentence.text == " ".join(sentence.text.split())
    assert sum(s.counted for s in brief.sentences) <= intake.MAX_SENTENCES
    assert any(s.counted for s in brief.sentences) or not brief.sentences
    said = " ".join(s.text for s in brief.sentences if s.counted and s.kind != "link")
    assert brief.words == intake.count_words(said)


@given(TEXTS)
def test_masking_keeps_every_position(text: str) -> None:
    """What is masked is replaced one for one, and line ends stay line ends, so that spans need no translation."""
    try:
        masked, _ = intake._mask(text)
    except TextUnusable:
        return
    assert len(masked) == len(text)
    assert all(b == "\n" for a, b in zip(text, masked, strict=True) if a == "\n")


@given(TEXTS)
def test_reading_is_the_same_every_time(text: str) -> None:
    """The same text gives the same brief."""
    try:
        first = intake.read(text, id="a", title="b", language="en")
    except BadInput as error:
        with pytest.raises(type(error)):
            intake.read(text, id="a", title="b", language="en")
        return
    assert intake.read(text, id="a", title="b", language="en") == first


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=8), min_size=1, max_size=30))
def test_the_span_of_plain_prose_quotes_its_own_words(words: list[str]) -> None:
    """Where nothing needs repair, the received text at a sentence's span is the sentence."""
    brief = intake.read(". ".join(w.capitalize() for w in words) + ".")
    assert [brief.text[s.span.start : s.span.end] for s in brief.sentences] == [s.text for s in brief.sentences]


# --- taking apart ----------------------------------------------------------------------------------------------------


def test_sentences_end_at_stops_and_not_at_abbreviations() -> None:
    """A stop after an abbreviation, an initial or inside a number ends nothing."""
    assert texts_of("We use e.g. Kalman filters. Dr. Fu checked 3.5 km of it! Did it hold? Yes…") == [
        "We use e.g. Kalman filters.",
        "Dr. Fu checked 3.5 km of it!",
        "Did it hold?",
        "Yes...",
    ]


def test_chinese_and_japanese_sentences_end_at_their_own_stops() -> None:
    """A full-width stop ends a sentence without any blank after it."""
    text = "我记录了阳台上的鸟。它们早上来。"
    spans = [sentence.span for sentence in intake.read(text).sentences]
    assert [text[span.start : span.end] for span in spans] == ["我记录了阳台上的鸟。", "它们早上来。"]


def test_markdown_gives_kinds_and_sections() -> None:
    """Headings, list items, code, tables and bare links are told apart, each under its heading."""
    text = (
        "# Bees\nWe weigh hives.\n\n## Data\n- own scales\n- a rain gauge\n\n```\npd.read_csv('hives.csv')\n```\n\n"
        "| day | kg |\n|---|---|\n| 1 | 30 |\n\nhttps://example.org/bees\n"
    )
    found = [(s.kind, s.heading, s.text) for s in intake.read(text).sentences]
    assert found == [
        ("heading", "", "Bees"),
        ("prose", "Bees", "We weigh hives."),
        ("heading", "Bees", "Data"),
        ("item", "Data", "own scales"),
        ("item", "Data", "a rain gauge"),
        ("code", "Data", "pd.read_csv('hives.csv')"),
        ("table", "Data", "day kg"),
        ("table", "Data", "1 30"),
        ("link", "Data", "https://example.org/bees"),
    ]


def test_installation_licence_and_file_trees_do_not_count() -> None:
    """What tells how to run a project says nothing of the idea, and the brief says that it was left out."""
    brief = intake.read(
        "# Hives\nWe weigh hives every night.\n\n## Installation\n- pip install hives\n- run it\n\n"
        "## Structure\n├── data\n└── app.py\n\n## License\nMIT\n"
    )
    assert [s.text for s in brief.sentences if s.counted] == [
        "Hives",
        "We weigh hives every night.",
        "Structure",
        "MIT",
    ]
    assert [n.code for n in brief.notices] == ["boilerplate"]


def test_a_text_of_boilerplate_alone_is_still_read() -> None:
    """Where nothing else is said, even installation notes count: better a poor reading than none."""
    brief = intake.read("pip install bees\ngit clone https://example.org/bees\n")
    assert [s.counted for s in brief.sentences] == [True]
    assert brief.notices == ()


def test_a_repeated_sentence_counts_once() -> None:
    """Saying a thing three times makes it no weightier."""
    brief = intake.read("We weigh hives. " * 3)
    assert [s.counted for s in brief.sentences] == [True, False, False]
    assert brief.words == 3
    assert [n.code for n in brief.notices] == ["repeated"]


def test_markup_and_comments_are_no_words() -> None:
    """Tags, comments, scripts, styles, image addresses and emphasis leave only what a reader sees."""
    text = (
        "<p>We <b>weigh</b> hives.</p><!-- titanic --><script>iris()</script>\n\n![scale](titanic.png) *Each* `night`."
    )
    assert " ".join(texts_of(text)) == "We weigh hives. Each night ."


def test_comments_that_nest_or_never_close_hide_only_what_they_enclose() -> None:
    """An opened comment hides up to the next closing; without one it hides nothing that follows."""
    assert texts_of("Before. <!-- one <!-- two --> After the comment.") == ["Before.", "After the comment."]
    assert "open words" in " ".join(texts_of("Before it all.\n\nThen <!-- open words"))


def test_broken_encodings_and_entities_are_repaired() -> None:
    """Text that went through the wrong encoding, or through HTML, reads as it was meant."""
    assert texts_of("Caf&eacute; queues &amp; rain, CafÃ© queues") == ["Café queues & rain, Café queues"]


def test_a_title_is_read_first_and_has_no_place() -> None:
    """A title counts as a heading, and no evidence can point into it."""
    first = intake.read("We weigh hives.", title="Hive scales").sentences[0]
    assert (first.text, first.kind, first.span.start, first.span.end) == ("Hive scales", "heading", 0, 0)


def test_the_callers_id_and_language_are_kept() -> None:
    """What the caller says of a text is handed through and not guessed again."""
    brief = intake.read("Wir wiegen jede Nacht unsere Bienenstöcke.", id="x7", language="EN-us")
    assert (brief.id, brief.language) == ("x7", "en")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We weigh our hives every night and ask when the bees will swarm.", "en"),
        ("Wir wiegen jede Nacht unsere Bienenstöcke und fragen, wann die Bienen schwärmen.", "de"),
        ("Pesamos nuestras colmenas cada noche y preguntamos cuándo saldrá el enjambre.", "es"),
        ("我们每天晚上给蜂箱称重，想知道蜜蜂什么时候分群。", "zh"),
        ("Каждую ночь мы взвешиваем ульи и спрашиваем, когда вылетит рой.", "ru"),
        ("knn bees", "en"),
        ("1234 5678", "und"),
    ],
)
def test_language_is_told_where_there_is_enough_of_it(text: str, language: str) -> None:
    """A sentence tells its language; a few ASCII letters count as English, and digits as nothing."""
    assert intake.read(text).language == language


def test_words_are_counted_in_every_script() -> None:
    """Contractions are one word, and two Chinese or Japanese characters count as one."""
    assert intake.count_words("It doesn't rain — 3 days.") == 5
    assert intake.count_words("蜜蜂分群") == 2
    assert intake.count_words("") == 0


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t\r\n", "\u200b\u2060", "<!-- only a comment -->", "<script>x()</script>"]
)
def test_nothing_is_refused_with_what_to_say(text: str) -> None:
    """A text with nothing in it for a reader is an error that says what a description holds."""
    with pytest.raises(TextUnusable, match=r"Say in a sentence or more what the project predicts"):
        intake.read(text)


@pytest.mark.parametrize("text", ["\x7fELF\x02\x01\x01" + "\x00" * 40, "\ud800" * 30, "PK\x03\x04\x14\x00\x06\x00\x08"])
def test_binary_is_refused_as_what_it_is(text: str) -> None:
    """Control characters beyond a few mean a file that was never text."""
    with pytest.raises(TextUnusable, match=r"looks like a binary file"):
        intake.read(text)


def test_a_few_broken_characters_are_blanks() -> None:
    """A lone surrogate in a good text is read as a blank and said so."""
    brief = intake.read("We weigh our hives \ud800 every single night of the year.")
    assert [s.text for s in brief.sentences] == ["We weigh our hives every single night of the year."]
    assert [n.code for n in brief.notices] == ["repaired"]


def test_too_long_a_text_is_refused_with_both_numbers() -> None:
    """The limit itself is read; one character more is refused, naming what was sent and what is allowed."""
    limit = intake.MAX_CHARS
    assert intake.read(("bees " * limit)[:limit]).text
    with pytest.raises(TextTooLong, match=rf"{limit + 1:,} characters; at most {limit:,}"):
        intake.read("x" * (limit + 1))


@pytest.mark.parametrize("text", ["x", "?", "42", "https://example.org/repo", "<div></div>a"])
def test_next_to_nothing_is_read_without_complaint(text: str) -> None:
    """A character, a number or an address is a text, if a thin one: the verdict will say what to add."""
    assert intake.read(text).words <= 4


def test_ten_thousand_lines_are_judged_up_to_the_limit() -> None:
    """A book is cut to the first sentences that count, and said so; the rest is still there for names."""
    brief = intake.read("".join(f"Hive {number} gained weight.\n" for number in range(7_000)))
    assert sum(s.counted for s in brief.sentences) == intake.MAX_SENTENCES
    assert brief.sentences[-1].text.endswith("gained weight.")
    assert [n.code for n in brief.notices] == ["length"]


@pytest.mark.parametrize(
    "unit",
    ["<!--", "<script>", "<a b='", "[", "![", "[a](", ". ", ".", "! A", "…", "_a", "> ", "- ", "```\n", "|a", "&#x41;",
     "# x\n", "x\n \n", "\u0301", "\ufdfa", "a, ", "[a]: b\n", "\"", "--", "<!-- -->"],
)  # fmt: skip
def test_no_pattern_makes_reading_slow(unit: str) -> None:
    """A long text of one repeated piece is read in a moment: nothing in it is walked again and again.

    The bound is some ten times what the slowest takes; a quadratic walk takes longer still.
    """
    text = (unit * LONG)[:LONG]
    started = time.process_time()
    try:
        brief = intake.read(text)
    except TextUnusable:
        brief = None
    assert time.process_time() - started < 6
    assert brief is None or sum(s.counted for s in brief.sentences) <= intake.MAX_SENTENCES


def test_a_broken_character_has_no_language() -> None:
    """A lone surrogate, which JSON can carry, keeps nobody from being told the language of the rest."""
    assert intake.detect_language("Wir wiegen jede Nacht \ud800 unsere vierzig Bienenstöcke.") == "de"
