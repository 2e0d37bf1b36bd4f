"""What people bring to the page, made for the tests: files of every kind, and a repository on this machine."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING

from docx import Document
from pypdf import PdfWriter

from app.settings import Fetching
from tests.local_service import Reply, as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_service import Service


def blank_pdf(password: str = "") -> bytes:
    """Make a PDF of one page without text, encrypted if there is a password."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def told_pdf(*lines: str) -> bytes:
    """Make a PDF of one page with these lines, none of which may hold a parenthesis."""
    drawn = b"BT /F1 10 Tf 40 700 Td 14 TL " + b" T* ".join(b"(%s) Tj" % line.encode() for line in lines) + b" ET"
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + tail


def resume() -> bytes:
    """Make a DOCX of somebody's life with two projects in it, the second told in numbered steps."""
    document = Document()
    for style, text in (
        ("Heading 1", "Education"),
        ("Normal", "A school by the sea"),
        ("Heading 1", "Projects"),
        ("Heading 2", "Who survived the Titanic"),
        ("List Bullet", "Predict survival on the Kaggle Titanic data with logistic regression"),
        ("Heading 2", "Rust on leaves"),
        ("List Bullet", "Photographed 4,000 leaves in our orchard and labelled the rust with two agronomists"),
        ("Normal", "1. Fine-tuned a ResNet on them for a phone that the pickers use"),
        ("Heading 1", "Skills"),
        ("Normal", "Python and grafting"),
    ):
        document.add_paragraph(text, style=style)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def notebook(*cells: str) -> bytes:
    """Make a notebook of Markdown cells."""
    return json.dumps({"cells": [{"cell_type": "markdown", "source": cell} for cell in cells]}).encode()


def repository(readme: str) -> Callable[[str, dict[str, str]], Reply]:
    """Answer as GitHub's API does for one repository, ana/bees, with nothing in it but a README."""
    pages = {
        "/github/repos/ana/bees": as_json(
            {"full_name": "ana/bees", "owner": {"login": "ana"}, "description": "", "default_branch": "main", "size": 1}
        ),
        "/github/repos/ana/bees/git/trees/main": as_json({"tree": [{"path": "README.md", "type": "blob", "size": 9}]}),
        "/github/repos/ana/bees/contents/README.md": Reply(readme.encode(), headers={"Content-Type": "text/plain"}),
    }
    return lambda path, _: pages.get(path, Reply(status=404))


def fetching(host: Service) -> Fetching:
    """Name a server of the tests as every service, and allow it alone."""
    return Fetching(
        github_url=f"{host.url}/github",
        gitlab_url=f"{host.url}/gitlab",
        hub_url=f"{host.url}/hub",
        kaggle_url=f"{host.url}/kaggle",
        allowed_hosts=(host.url.removeprefix("http://"),),
        seconds_between=0,
    )
