"""Reads PDF and DOCX files: the lines of their text, which a résumé is split into its projects by."""

from __future__ import annotations

import logging
import re
import zipfile
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from app.errors import FileUnreadable
from app.records import Notice
from app.submissions import resume
from app.submissions.item import Item, whole
from app.submissions.resume import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypdf import PdfReader

    from app.submissions.item import Limits

_MIN_LETTERS = 20
"""Fewer letters than these in a whole PDF are page numbers on scanned pages."""
_MOST_PARTS = 2_000
_DOCX_UNPACKED = 10
"""A DOCX may unpack to this many times the limit for a document: its pictures count, too."""
_MOST_NODES = 10_000
"""A PDF's tree of pages may have this many branches and leaves; the library walks all of it before the first page."""
_MOST_DRAWN = 8_000_000
"""Bytes of drawing commands, unpacked, that are read of one PDF: more than in any text that somebody wrote."""
_MOST_TAGS = 500_000
"""Tags in the XML of one DOCX; a book of 300 pages has about as many, and the library keeps an object for each."""
_HEADING = re.compile(r"heading|title|überschrift|titre|título", re.IGNORECASE)
_LIST = re.compile(r"list|bullet|aufzählung|liste", re.IGNORECASE)


def read_pdf(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a PDF: a résumé as its projects, any other as one item."""
    data = whole(name, stream, limits.max_document_bytes)
    lines, notices = _pdf_lines(name, data, limits)
    yield from _items(name, lines, notices)


def read_docx(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a DOCX: a résumé as its projects, any other as one item."""
    data = whole(name, stream, limits.max_document_bytes)
    _refuse_bomb(name, data, limits)
    yield from _items(name, _docx_lines(name, data), ())


def _items(name: str, lines: list[Line], notices: tuple[Notice, ...]) -> Iterator[Item]:
    if resume.is_resume(lines):
        yield from resume.items(name, lines, notices)
    else:
        yield Item(name, "\n".join(line.text for line in lines), name, notices=notices)


def _pdf_lines(name: str, data: bytes, limits: Limits) -> tuple[list[Line], tuple[Notice, ...]]:
    from pypdf import PdfReader  # noqa: PLC0415  only this kind of file needs it
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings quote what they couldn't read
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileNotDecryptedError  # noqa: TRY301  told below, as when the library itself finds it out
        _refuse_endless(reader)
        count = len(reader.pages)
        # Joined first: a word or a bullet may be cut off from its line, but no line from its page.
        text = "\n".join(_pages(reader, min(count, limits.max_pages)))
    except (DependencyError, FileNotDecryptedError) as error:
        raise FileUnreadable(f"{name} is encrypted. Send it without a password.") from error
    except LimitReachedError as error:
        raise FileUnreadable(f"{name} unpacks to more than is read of a PDF. Send it without pictures.") from error
    except Exception as error:  # on a broken file the library raises whatever its parsing stumbles over
        raise FileUnreadable(
            f"{name} is not a readable PDF ({type(error).__name__}). Save it as PDF again, or send its text."
        ) from error
    if sum(map(str.isalpha, text)) < _MIN_LETTERS:
        raise FileUnreadable(
            f"{name} has {count} pages and no text: it looks scanned. Run text recognition (OCR) over it, or send a "
            "PDF that was written by a word processor."
        )
    message = f"{name} has {count} pages; the first {limits.max_pages} were read."
    more = (Notice("cut", message),) if count > limits.max_pages else ()
    return [Line(line.rstrip()) for line in text.splitlines() if line.strip()], more


def _refuse_endless(reader: PdfReader) -> None:
    from pypdf.errors import LimitReachedError  # noqa: PLC0415

    waiting, seen = [reader.root_object["/Pages"]], 1
    while waiting:
        children = waiting.pop().get_object().get("/Kids", ())  # type: ignore[union-attr]  # the caller tells of it
        seen += len(children)
        if seen > _MOST_NODES:
            raise LimitReachedError
        waiting += children


def _pages(reader: PdfReader, count: int) -> Iterator[str]:
    from pypdf.errors import LimitReachedError  # noqa: PLC0415

    left = _MOST_DRAWN
    for number in range(count):
        page = reader.pages[number]
        contents = page.get_contents()
        left -= len(contents.get_data()) if contents is not None else 0
        if left < 0:
            raise LimitReachedError
        yield page.extract_text()


def _refuse_bomb(name: str, data: bytes, limits: Limits) -> None:
    """Look at a DOCX's table of contents before anything is unpacked."""
    if data.startswith(
        b"\xd0\xcf\x11\xe0"
    ):  # a container of older office formats, in which encrypted ones come as well
        raise FileUnreadable(f"{name} is encrypted, or an old .doc file. Save it as .docx without a password.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            parts = packed.infolist()
            large = (
                len(parts) > _MOST_PARTS or sum(p.file_size for p in parts) > _DOCX_UNPACKED * limits.max_document_bytes
            )
            large = large or _has_endless_xml(packed, parts)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise FileUnreadable(f"{name} is not a readable DOCX. Save it as .docx again, or send its text.") from error
    if large:
        raise FileUnreadable(f"{name} unpacks to more than is read of a DOCX. Send it without pictures.")


def _has_endless_xml(packed: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> bool:
    tags = 0
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            with packed.open(part) as stream:  # stops at the size that the table of contents gives
                while tags <= _MOST_TAGS and (some := stream.read(1 << 16)):
                    tags += some.count(b"<")
    return tags > _MOST_TAGS


def _docx_lines(name: str, data: bytes) -> list[Line]:
    from docx import Document  # noqa: PLC0415  only this kind of file needs it

    try:
        found = list(_walk(Document(BytesIO(data))))
    except Exception as error:  # on a broken file the library raises whatever its parsing stumbles over
        raise FileUnreadable(
            f"{name} is not a readable DOCX ({type(error).__name__}). Save it as .docx again, or send its text."
        ) from error
    lines = [line for line in found if line.text.strip()]
    if not lines:
        raise FileUnreadable(f"{name} has no text: perhaps it holds pictures alone. Send its text.")
    return lines


def _walk(block: Any) -> Iterator[Line]:
    """Give the paragraphs in their order, those in tables cell by cell."""
    for part in block.iter_inner_content():
        if hasattr(part, "rows"):
            for row in part.rows:
                seen: list[Any] = []
                for cell in row.cells:  # a merged cell comes once for each place that it covers
                    if cell._tc not in seen:  # the library offers no other identity of a cell
                        seen.append(cell._tc)
                        yield from _walk(cell)
        else:
            yield from _paragraph(part)


def _paragraph(part: Any) -> Iterator[Line]:
    style = (part.style.name or "") if part.style is not None else ""
    numbered = part._p.pPr is not None and part._p.pPr.numPr is not None
    runs = [run for run in part.runs if run.text.strip()]
    bold = bool(runs) and bool(runs[0].bold)
    for line in part.text.splitlines():
        yield Line(line, strong=bool(_HEADING.search(style)) or bold, bullet=numbered or bool(_LIST.search(style)))
