"""Documents that are small to send and endless to read: refused or read, soon and in little memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from docx import Document

from app.submissions import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_MB = 600
"""Address space over what an empty reader takes, which leaves room for the allocator's own reserves."""
MOST_S = 20

READER = """
import resource, sys
from app.submissions import documents, notebook, read
import docx, pypdf, lxml.etree
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[2]) * 1_000_000,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]),) * 2)
data = open(sys.argv[1], "rb").read()
for item in read(sys.argv[1], data):
    print((item.error or item.text)[:300].replace("\\n", " "))
"""


def word(change: Callable[[bytes], bytes]) -> bytes:
    """Make a document of Word, with its main part changed."""
    plain, out = io.BytesIO(), io.BytesIO()
    made = Document()
    made.add_paragraph("hives weighed for a year")
    made.save(plain)
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in given.infolist():
            data = given.read(part)
            packed.writestr(part.filename, change(data) if part.filename == "word/document.xml" else data)
    return out.getvalue()


def declared(doctype: str, use: str) -> bytes:
    """Make a document that declares something, and uses it in its one paragraph."""
    return word(lambda data: data.replace(b"?>", b"?>" + doctype.encode(), 1).replace(b"hives", use.encode()))


def drawn(*objects: bytes) -> bytes:
    """Make a PDF of objects, the first of which is its root."""
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + head + table + tail


def paged(commands: bytes) -> bytes:
    """Make a PDF of one page that is drawn by packed commands."""
    packed = zlib.compress(commands)
    font = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    return drawn(
        ROOT,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources%s>>" % font,
        b"<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream" % (len(packed), packed),
    )


ROOT = b"<</Type/Catalog/Pages 2 0 R>>"
LEAF = b"<</Type/Page/Parent 2 0 R>>"
LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
REFUSED = "is not a readable"
ENDLESS = "unpacks to more than is read of"
BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a billion laughs": (
        "a.docx",
        lambda: declared(f'<!DOCTYPE w [<!ENTITY a "lol">{LAUGHS}]>', "&j;"),
        REFUSED,
    ),
    "one long entity used often": (
        "a.docx",
        lambda: declared(f'<!DOCTYPE w [<!ENTITY a "{"x" * 100_000}">]>', "&a;" * 100_000),
        REFUSED,
    ),
    "tags in tags": ("a.docx", lambda: word(lambda d: d.replace(b"<w:p>", b"<w:p>" + b"<w:r>" * 50_000)), REFUSED),
    "two million paragraphs": ("a.docx", lambda: word(lambda d: d.replace(b"<w:p>", b"<w:p/>" * 2_000_000)), ENDLESS),
    "one word of sixty megabytes": ("a.docx", lambda: word(lambda d: d.replace(b"hives", b"x" * 60_000_000)), REFUSED),
    "pages that hold themselves": ("a.pdf", lambda: drawn(ROOT, b"<</Type/Pages/Kids[2 0 R]/Count 1>>"), ENDLESS),
    "a hundred thousand pages": (
        "a.pdf",
        lambda: drawn(ROOT, b"<</Type/Pages/Count 100000/Kids[%s]>>" % (b"3 0 R " * 100_000), LEAF),
        ENDLESS,
    ),
    "pages that are said to be two billion": (
        "a.pdf",
        lambda: drawn(ROOT, b"<</Type/Pages/Count 2000000000/Kids[3 0 R]>>", LEAF),
        "has 1 pages and no text",
    ),
    "a page of packed noughts": ("a.pdf", lambda: paged(b"0" * 100_000_000), ENDLESS),
    "a page of a million commands": ("a.pdf", lambda: paged(b"BT /F 9 Tf (hives) Tj ET\n" * 1_000_000), ENDLESS),
    "a notebook in brackets": ("a.ipynb", lambda: b'{"cells":' + b"[" * 5_000_000, "it isn't JSON"),
    "a notebook with a long number": (
        "a.ipynb",
        lambda: b'{"cells":[],"n":' + b"9" * 1_000_000 + b"}",
        "it isn't JSON",
    ),
    "a notebook of a hundred thousand cells": (
        "a.ipynb",
        lambda: json.dumps({"cells": [{"cell_type": "code", "source": "x = load_iris()"}] * 100_000}).encode(),
        "It loads the data with load_iris().",
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="a process's limits and its size are read as Linux tells them")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_little(bomb: str, tmp_path: Path) -> None:
    """In a process that may take so much memory and time and no more, it is refused by a sentence, or read."""
    name, make, said = BOMBS[bomb]
    (tmp_path / name).write_bytes(make())
    command = [sys.executable, "-c", READER, str(tmp_path / name), str(MOST_MB), str(MOST_S)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-500:]
    assert said in done.stdout


def test_nothing_outside_of_a_document_is_read(tmp_path: Path) -> None:
    """A file of the machine that a document names as its entity stays where it is."""
    (tmp_path / "secret.txt").write_text("unmistakable", encoding="utf-8")
    data = declared(f'<!DOCTYPE w [<!ENTITY a SYSTEM "file://{tmp_path}/secret.txt">]>', "hives &a;")
    (item,) = read("a.docx", data)
    assert "unmistakable" not in item.text + item.error


def test_json_that_says_a_thing_twice_or_no_number_is_read() -> None:
    """The last one counts, and what is no number is nobody's text."""
    (item,) = read("a.ipynb", b'{"cells":[],"n":NaN,"cells":[{"cell_type":"markdown","source":"hives"}]}')
    assert item.text == "hives"
