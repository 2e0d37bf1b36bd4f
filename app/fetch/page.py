"""Reads any web page: what a person would read there, without its menus; and files that stand behind a link."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from app.errors import SourceUnusable
from app.submissions import kinds
from app.submissions.item import LIMITS
from app.wire import shown

if TYPE_CHECKING:
    from app.fetch.web import Web
    from app.submissions import Item
    from app.wire import Answer

_NO = {401, 403, 404, 410, 451}
_FILES = {
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
    "application/x-ipynb+json": ".ipynb",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
_HTML = ("text/html", "application/xhtml+xml")
_BESIDE = "//script|//style|//noscript|//template|//svg|//nav|//footer|//aside|//form|//iframe|//button|//*[@hidden]"
_BLANKS = re.compile(r"\n\s*\n+")
_MIN_WORDS = 15
"""Pages that say less are shells which a script fills, or doors: the description in their head is asked then."""


async def read_page(web: Web, item: Item) -> list[Item]:
    """Fetch a page and read it as one item, or a document as if it had been handed in.

    Raises:
        SourceUnusable: if there is nothing to read.
    """
    answer = await web.get(item.link, _NO, "text/html,text/markdown,text/plain,application/pdf;q=0.9,*/*;q=0.5")
    reasons = {
        401: "asks for a sign-in",
        403: "may not be read by strangers",
        404: "isn't there",
        410: "is gone",
        451: "is blocked for legal reasons",
    }
    if answer.status in reasons:
        raise SourceUnusable(
            f"{answer.place} {reasons[answer.status]} ({answer.status}). Give another link, or the text."
        )
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _HTML or (not kind and answer.body.lstrip()[:1] == b"<"):
        return [_page(item, answer)]
    return _document(item, answer, kind)


def _document(item: Item, answer: Answer, kind: str) -> list[Item]:
    name = PurePosixPath(answer.url.path).name or answer.url.host
    suffix = kinds.kind(name)
    if suffix not in kinds.DOCUMENTS:
        name += _FILES.get(kind, "")
    if kinds.kind(name) not in kinds.DOCUMENTS:
        raise SourceUnusable(
            f"{answer.place} is neither a web page nor a text ({kind or 'of no kind'}). Give the link of the page that "
            "describes the project."
        )
    found = [one for one in kinds.read(name, answer.body, LIMITS) if not one.link]
    if not found:
        raise SourceUnusable(f"{answer.place} is a list of links. Give those links themselves.")
    return [
        replace(
            item,
            id=item.id if len(found) == 1 else f"{item.id}#{n}",
            text=one.text,
            title=item.title or one.title,
            error=one.error and f"{item.origin}: {one.error}",
            notices=(*item.notices, *one.notices),
        )
        for n, one in enumerate(found, start=1)
    ]


def _page(item: Item, answer: Answer) -> Item:
    title, description, body = to_text(answer.body, _charset(answer))
    text = body if len(body.split()) >= _MIN_WORDS else "\n\n".join(filter(None, (title, description)))
    if len(text.split()) < _MIN_WORDS and len(text) < 6 * _MIN_WORDS:
        raise SourceUnusable(
            f"{shown(answer.url)} has nearly no text: a script fills it, or it is a sign-in. Give its text, or the "
            "link of the repository."
        )
    return replace(item, text=text, title=item.title or title)


def _charset(answer: Answer) -> str:
    found = re.search(r"charset=\"?([\w.:-]{1,40})", answer.headers.get("content-type", ""), re.IGNORECASE)
    if found:
        return found[1]
    try:
        answer.body.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "utf-8"


def to_text(body: bytes, charset: str = "") -> tuple[str, str, str]:
    """Read HTML.

    Args:
        charset: as the server says; what is unknown is left to the page itself.

    Returns:
        The page's title, the description in its head, and the text of its body without menus and forms.

    Raises:
        SourceUnusable: if it can't be taken apart.
    """
    from inscriptis.html_engine import Inscriptis  # noqa: PLC0415  only pages need them
    from lxml import etree, html  # noqa: PLC0415

    try:
        try:
            parser = html.HTMLParser(encoding=charset or None, no_network=True)
        except LookupError:
            parser = html.HTMLParser(no_network=True)
        tree: Any = html.document_fromstring(body, parser=parser)
        title = " ".join(" ".join(tree.xpath("//title[1]//text()")).split())[:300]
        said = tree.xpath("//meta[@name='description' or @property='og:description']/@content")
        for part in tree.xpath(_BESIDE):
            if part.getparent() is not None:
                part.drop_tree()
        main = tree.xpath("//main|//*[@role='main']|//article")
        best = max(main, key=lambda part: len(part.text_content()), default=None)
        # An <article> may be one card of many: it must hold most of the page to stand for it.
        whole = best is not None and 2 * len(best.text_content()) >= len(tree.text_content())
        text = Inscriptis(best if whole else tree).get_text()
    except (etree.LxmlError, ValueError, RecursionError, AttributeError, IndexError, KeyError) as error:
        raise SourceUnusable(
            f"The page can't be taken apart ({type(error).__name__}). Give its text instead."
        ) from error
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return title, " ".join(" ".join(said[:1]).split()), _BLANKS.sub("\n\n", lines).strip()
