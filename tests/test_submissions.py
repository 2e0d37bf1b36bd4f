"""Reading what people hand in: every file is made here; a bad one is an item with its error, and the rest goes on."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import stat
import tarfile
import time
import zipfile
import zlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from docx import Document
from hypothesis import example, given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from app.errors import BadInput, FileUnreadable
from app.submissions import KINDS, Columns, Limits, items, parse_columns, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from app.submissions import Item

SMALL = Limits(max_document_bytes=20_000, max_unpacked_bytes=100_000, max_members=50)


def of(name: str, data: bytes | str, limits: Limits = SMALL) -> list[Item]:
    """Read an upload."""
    return list(read(name, data.encode() if isinstance(data, str) else data, limits))


def brief(found: list[Item]) -> list[tuple[str, str, str]]:
    """Give the id, text and error of each item."""
    return [(item.id, item.text, item.error) for item in found]


def error(name: str, data: bytes | str, limits: Limits = SMALL) -> str:
    """Give the error of an upload that is one bad item."""
    (item,) = of(name, data, limits)
    assert not item.text
    assert item.error
    return item.error


# --- tables ----------------------------------------------------------------------------------------------------------


def test_jsonl_gives_ids_and_texts_in_order() -> None:
    """Numbers are ids too, a missing id is the line's number, blank lines are no items, and a BOM is no text."""
    lines = ['\ufeff{"id": "b", "text": "hives"}', "", '{"id": 7, "text": "frogs"}', '{"text": "rain"}']
    assert brief(of("a.jsonl", "\n".join(lines))) == [("b", "hives", ""), ("7", "frogs", ""), ("4", "rain", "")]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "a.jsonl:2: not JSON. Each line is one object with 'id' and 'text'."),
        (b"[1]", "a.jsonl:2: a JSON list, where an object with 'id' and 'text' is needed."),
        (b'"text"', "a.jsonl:2: a JSON str, where an object with 'id' and 'text' is needed."),
        (b'{"id": 1}', "a.jsonl:2: field 'text' is missing or not a string."),
        (b'{"text": 3}', "a.jsonl:2: field 'text' is missing or not a string."),
        (b'{"text": "caf\xe9"}', "a.jsonl:2: not UTF-8 (byte 13 of the line)."),
        (b"[" * 100_000, "a.jsonl:2: nested too deeply. Each line is one object with 'id' and 'text'."),
    ],
)
def test_a_bad_line_names_its_place_and_stops_nothing(line: bytes, error: str) -> None:
    """The item of a bad line says file, line and what is wrong; the lines around it are read."""
    found = of("a.jsonl", b'{"text": "x"}\n' + line + b'\n{"text": "y"}\n')
    assert [item.text for item in found] == ["x", "", "y"]
    assert found[1].error == error


def test_a_lone_surrogate_in_json_is_a_text() -> None:
    """JSON may hold half a pair; it is the reader's to judge, not the file's."""
    assert brief(of("a.jsonl", rb'{"text": "\ud83d hives"}')) == [("1", "\ud83d hives", "")]


def test_jsonl_may_call_its_fields_otherwise() -> None:
    """Where no line has ``text``, other fields are guessed, or taken as told."""
    data = '{"Nr": 4, "Beschreibung": "we weighed hives for a year"}\n'
    assert brief(of("a.jsonl", data)) == [("4", "we weighed hives for a year", "")]
    told = Limits(columns=Columns(text="b", id="a"))
    assert brief(of("a.jsonl", '{"a": "x", "b": "hives", "text": "no"}', told)) == [("x", "hives", "")]


def test_csv_finds_its_columns() -> None:
    """The text's and the id's columns go by several names, whatever their case; quotes may hold line ends."""
    found = of("a.csv", '\ufeffName,Stars,Description\nbees,3,"hives,\nweighed"\n,4,frogs\n')
    assert brief(found) == [("bees", "hives,\nweighed", ""), ("4", "frogs", "")]
    assert [item.origin for item in found] == ["a.csv:2", "a.csv:4"]


def test_columns_are_guessed_by_what_is_in_them_and_told() -> None:
    """Of unknown names the one with whole sentences is the text; the first item says what was taken for what."""
    rows = ["Bewerber;Stadt;Was ich gebaut habe", "Ana;Bonn;Gewichte von Bienenstöcken, stündlich"]
    data = "\n".join([*rows, "Bo;Ulm;Frösche im Teich gezählt"])
    found = of("a.csv", data)
    assert [(item.candidate, item.text) for item in found] == [
        ("Ana", "Gewichte von Bienenstöcken, stündlich"),
        ("Bo", "Frösche im Teich gezählt"),
    ]
    assert [[notice.code for notice in item.notices] for item in found] == [["file-columns"], []]
    assert "text from 'Was ich gebaut habe', candidate from 'Bewerber'" in found[0].notices[0].message


def test_columns_are_taken_as_told() -> None:
    """What somebody says goes before every guess, and nothing is then told of it."""
    told = Limits(columns=parse_columns("text=B, id = a"))
    (item,) = of("a.csv", "text,A,b\nno,7,hives\n", told)
    assert (item.id, item.text, item.notices) == ("7", "hives", ())
    assert "has no column 'c' for the text. There are: text, A, b." in error(
        "a.csv", "text,A,b\nno,7,hives\n", Limits(columns=Columns(text="c"))
    )


@pytest.mark.parametrize("option", ["text", "words=a", "text=", "text=a,text=b"])
def test_an_option_for_columns_that_is_none_is_refused(option: str) -> None:
    """Its form is told."""
    with pytest.raises(BadInput, match="text=NAME,id=NAME with each of these at most once: text, id, candidate"):
        parse_columns(option)


def test_csv_without_a_text_says_what_it_found() -> None:
    """The error names the columns there are and those that would do; an empty file says what a table begins with."""
    assert "no column for the text (found: a, b). Name one of: text, description" in error("a.csv", "a,b\n1,2\n")
    assert "has no readable first line" in error("a.csv", "")
    assert "has no readable first line" in error("a.csv", '"text\n')


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_csv_is_read_in_every_form_of_unicode(encoding: str) -> None:
    """With a mark or without, as spreadsheets save it, with tabs."""
    assert brief(of("a.csv", "id\ttext\n1\thives, weighed\n2\tсчитаем пчёл\n".encode(encoding))) == [
        ("1", "hives, weighed", ""),
        ("2", "считаем пчёл", ""),
    ]


def test_an_older_encoding_is_guessed_and_told() -> None:
    """A table of a spreadsheet in its national encoding is read, and its first item says that this was a guess."""
    rows = ["Für die Äpfel im Garten zählen wir jede Blüte größer als fünf Zentimeter", "Schädlinge über Nacht gezählt"]
    found = of("a.csv", ("id;text\n" + "".join(f"{n};{row}\n" for n, row in enumerate(rows))).encode("cp1252"))
    assert [item.text for item in found] == rows
    assert [notice.code for notice in found[0].notices] == ["file-encoding", "file-columns"]


def test_broken_quotes_cost_their_own_row() -> None:
    """A quote that is never closed, and text behind a closing one, are that line's errors; all others are read."""
    lines = ["id,text", "1,hives", '2,"frogs', "3,rain", '4,"snow" and ice', '5,"say ""hail"""', "6,a,b", "7,wind"]
    found = of("a.csv", "\n".join(lines))
    assert [(item.id, item.text) for item in found if not item.error] == [
        ("1", "hives"),
        ("3", "rain"),
        ("5", 'say "hail"'),
        ("7", "wind"),
    ]
    assert [(item.origin, item.error[:35]) for item in found if item.error] == [
        ("a.csv:3", "a.csv:3: a quoted cell isn't closed"),
        ("a.csv:5", "a.csv:5: a quoted cell isn't closed"),
        ("a.csv:7", "a.csv:7: 3 cells where the first li"),
    ]


def test_a_file_of_nothing_but_broken_quotes_ends_soon() -> None:
    """However many there are, reading on after each of them is given up."""
    began = time.monotonic()
    found = of("a.csv", "id,text\n" + '1,"x"y\n' * 50_000)
    assert len(found) == 1_001
    assert found[-1].error.endswith("The rest was not read.")
    assert time.monotonic() - began < 5


def test_a_row_without_a_text_is_its_own_error() -> None:
    """An empty cell is an empty text, for the checker to refuse; a row that is too short has none."""
    assert brief(of("a.csv", "id,stars,text\n1,2,\n2\n,,\n3,1,hives\n")) == [
        ("1", "", ""),
        ("2", "", "a.csv:3: there is nothing in column 'text'."),
        ("3", "hives", ""),
    ]


def test_parquet_is_a_table_too() -> None:
    """Its columns are guessed like those of others; a missing text is that row's error."""
    file = io.BytesIO()
    rows = {
        "who": ["Ana", "Bo", "Cy"],
        "n": [1, 2, 3],
        "what they did": ["we weighed hives daily", None, "frogs were counted"],
    }
    pq.write_table(pa.table(rows), file)
    found = of("a.parquet", file.getvalue(), Limits(columns=Columns(id="n", candidate="who")))
    assert [(i.id, i.candidate, i.text, i.error) for i in found] == [
        ("1", "Ana", "we weighed hives daily", ""),
        ("2", "Bo", "", "a.parquet, row 2: there is nothing in column 'what they did'."),
        ("3", "Cy", "frogs were counted", ""),
    ]
    assert error("a.parquet", file.getvalue()[:-30]).startswith("a.parquet is not a readable Parquet file")


def test_links_stand_for_texts() -> None:
    """A column of addresses, a text that is one, and a file of nothing else are links still to be fetched."""
    table = of("a.csv", "id,repo_url\n1,https://github.com/ana/bees\n2,nothing\n")
    assert [(i.id, i.link, i.error) for i in table] == [
        ("1", "https://github.com/ana/bees", ""),
        ("2", "", "a.csv:3: there is no web address in column 'repo_url'."),
    ]
    both = of("a.csv", "id,text,url\n1,hives,https://x.org/1\n2,,https://x.org/2\n3,https://x.org/3,\n")
    assert [(i.text, i.link) for i in both] == [("hives", ""), ("", "https://x.org/2"), ("", "https://x.org/3")]
    listed = of("l.txt", "# ours\n\nhttps://x.org/a\n HTTPS://x.org/b \n")
    assert [(i.id, i.link, i.origin) for i in listed] == [
        ("https://x.org/a", "https://x.org/a", "l.txt:3"),
        ("HTTPS://x.org/b", "HTTPS://x.org/b", "l.txt:4"),
    ]
    assert of("l.txt", "see https://x.org/a")[0].text == "see https://x.org/a"


def test_a_list_that_was_asked_for_says_which_line_is_no_link(tmp_path: Path) -> None:
    """The others are links all the same."""
    (tmp_path / "l.txt").write_text("https://x.org/a\nbees\n")
    found = list(items([], links=[tmp_path / "l.txt"]))
    assert [(i.id, i.link) for i in found] == [("https://x.org/a", "https://x.org/a"), ("line 2", "")]
    assert found[1].error.startswith("l.txt:2: no web address.")


# --- texts -----------------------------------------------------------------------------------------------------------


def test_a_text_file_is_one_item() -> None:
    """Its name is its id, whatever form of Unicode it's in; what is no text is an item with its error."""
    assert brief(of("idea.md", "\ufeffhives")) == [("idea.md", "hives", "")]
    assert brief(of("idea.txt", "hives in a field".encode("utf-16"))) == [("idea.txt", "hives in a field", "")]
    assert (
        error("i.txt", b"\x89PNG\x0d\x00\x1a\x0a\x00\xff\xfe\xfd" * 9)
        == "i.txt is not UTF-8 (byte 0). Save it as UTF-8 text."
    )
    assert "larger than the 0 MB" in error("i.txt", b"x" * 20_001)


def test_an_unknown_kind_is_told(tmp_path: Path) -> None:
    """An upload's is its item's error; a path's is refused at once, though good ones stand before it."""
    assert error("a.exe", b"MZ").startswith("a.exe is of an unknown kind. Known are .csv, .jsonl")
    good = tmp_path / "a.jsonl"
    good.write_text(json.dumps({"text": "x"}), encoding="utf-8")
    with pytest.raises(FileUnreadable, match=r"There is no .*b\.jsonl"):
        items([good, tmp_path / "b.jsonl"])
    (tmp_path / "c.doc").write_bytes(b"PK")
    with pytest.raises(FileUnreadable, match=r"c\.doc is of an unknown kind \(\.doc\)\. Known are \.csv, \.jsonl"):
        items([good, tmp_path / "c.doc"])


def test_several_paths_come_in_the_order_given(tmp_path: Path) -> None:
    """Files follow each other as they were named."""
    for name in ("z.txt", "a.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert [i.id for i in items([tmp_path / "z.txt", tmp_path / "a.txt"])] == ["z.txt", "a.txt"]


# --- notebooks -------------------------------------------------------------------------------------------------------


def cell(source: str | list[str], kind: str = "code") -> dict[str, object]:
    """Make a notebook's cell."""
    return {"cell_type": kind, "source": source, "outputs": [{"text": "SECRET output"}]}


def notebook(*cells: object, **more: object) -> bytes:
    """Make a notebook of format 4."""
    return json.dumps({"cells": cells, "nbformat": 4, **more}).encode()


def test_a_notebook_says_what_it_does() -> None:
    """Markdown and comments in their order, then the loads as sentences; neither code nor outputs."""
    data = notebook(
        cell(["# Flowers\n", "Which species is it?"], "markdown"),
        cell(
            "%matplotlib inline\n!pip install x\nimport pandas as pd\n# measured by hand in the yard\nX = load_iris()"
        ),
        cell("if 1:\n    %time f()\ndf = pd.read_csv(\n  'C:\\\\Users\\\\me\\\\titanic.csv')\n# df.head()\n#----"),
    )
    (item,) = of("a.ipynb", data)
    assert item.text == (
        "# Flowers\nWhich species is it?\n\nmeasured by hand in the yard\n\n"
        "It loads the data with load_iris(). It reads titanic.csv."
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("d = sns.load_dataset('titanic')", "It loads the data with sns.load_dataset('titanic')."),
        ("ds = load_dataset(path='imdb')", "It loads the data with load_dataset('imdb')."),
        (
            "(a, b), c = tf.keras.datasets.mnist.load_data()",
            "It loads the data with tf.keras.datasets.mnist.load_data().",
        ),
        ("t = torchvision.datasets.CIFAR10(root='.')", "It loads the data with torchvision.datasets.CIFAR10."),
        ("x = fetch_california_housing(as_frame=True)", "It loads the data with fetch_california_housing()."),
        (
            "p = hub.dataset_download('uciml/iris')",
            "It loads the data with hub.dataset_download('uciml/iris').",
        ),
        ("!kaggle competitions download -c titanic", "It downloads titanic from Kaggle."),
        ("!wget -q https://x.org/bees.csv", "It downloads https://x.org/bees.csv."),
        ("pl.read_parquet('https://x.org/b.parquet')", "It reads https://x.org/b.parquet."),
        ("x = tfds.load('mnist')", "It loads the data with tfds.load('mnist')."),
        ("x = read_csv(r'data/a.csv'", "It reads a.csv."),
        ("for = 3 ?\ny = read_csv('b.csv')", "It reads b.csv."),
    ],
)
def test_a_load_is_a_sentence(code: str, sentence: str) -> None:
    """Loaders, readers, data set classes, and downloads in the shell, also in code that is cut off or broken."""
    assert of("a.ipynb", notebook(cell(code)))[0].text == sentence


@pytest.mark.parametrize(
    "code", ["m = load_model('m.h5')", "nlp = spacy.load('en')", "read_csv(path)", "x = load_iris", "json.load(f)"]
)
def test_what_loads_no_data_is_no_sentence(code: str) -> None:
    """Models, settings, names that are only passed on: there is then nothing to read."""
    assert "holds no Markdown, no comment and no call" in error("a.ipynb", notebook(cell(code)))


def test_an_older_notebook_is_read() -> None:
    """Format 3 keeps its cells on worksheets, and calls the source of code its input."""
    cells = [{"cell_type": "markdown", "source": ["bees"]}, {"cell_type": "code", "input": "load_wine()"}, 3]
    data = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3})
    assert of("a.ipynb", data)[0].text == "bees\n\nIt loads the data with load_wine()."


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "it isn't JSON"),
        (b"[" * 15_000, "it isn't JSON"),
        (b"[]", "it has no cells"),
        (b'{"cells": 3}', "it has no cells"),
        (b'{"cells": [1, {"cell_type": "code", "source": [1, {}]}]}', "holds no Markdown"),
        (b'{"cells": "' + b"x" * 20_000, "larger than the 0 MB"),
    ],
)
def test_what_is_no_notebook_is_told(data: bytes, message: str) -> None:
    """One clear error each, the size among them."""
    assert message in error("a.ipynb", data)


@given(st.text(alphabet="()'\"#\n \\abc=.1\t[]{}:é", max_size=80))
def test_no_code_stops_the_reading(code: str) -> None:
    """Whatever stands in a code cell, the Markdown beside it is read."""
    (item,) = of("a.ipynb", notebook(cell("bees", "markdown"), cell(code)))
    assert item.text.startswith("bees")


@pytest.mark.parametrize("pump", ["\\'", "'a", "\\\n", "if x:\n  a\n b\n", "(\n", "'\"\n", " "])
def test_no_code_takes_longer_than_its_length(pump: str) -> None:
    """What a tokenizer goes over again and again, to the line's end or the cell's, is read in seconds at most."""
    code = ("x = <'\n" + pump * 40_000)[:40_000]
    began = time.process_time()
    (item,) = of("a.ipynb", notebook(cell("bees", "markdown"), cell(code)), Limits())
    assert item.text.startswith("bees")
    assert time.process_time() - began < 5


def test_code_is_read_on_after_each_fault() -> None:
    """A line that is no Python, twenty brackets that stay open, and a very long line hide nothing that comes after."""
    faults = ["  x\n y", *["f(["] * 10, "x = '" + "a" * 5_000]
    code = "\n".join(line for fault in faults for line in (fault, "# the hives were weighed at night"))
    (item,) = of("a.ipynb", notebook(cell(code)), Limits())
    assert item.text.count("weighed at night") == len(faults)


# --- résumés ---------------------------------------------------------------------------------------------------------

RESUME = [
    "Ana Example",
    "ana@example.org | +49 30 0000000",
    "Education",
    "B.Sc. Statistics, Bonn, 2019-2023",
    "Projects",
    "Hive weights | Python, InfluxDB | 2023",
    "• Weighed twelve hives every hour for a year with load cells that I soldered and calibrated, and",
    "Published the data set with a paper on swarming",
    "• Forecast the flow of nectar",
    "Titanic survival",
    "Kaggle, 2022",
    "• Predicted who survives with logistic regression",
    "Skills",
    "Python, R, SQL",
]


def pdf(lines: list[str], password: str = "", pages: int = 1, owner: str = "") -> bytes:
    """Write a PDF of Courier lines."""
    writer = PdfWriter()
    for _ in range(pages):
        page = writer.add_blank_page(600, 800)
        font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Courier", "/Encoding": "/WinAnsiEncoding"}
        entries = DictionaryObject({NameObject(key): NameObject(value) for key, value in font.items()})
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): writer._add_object(entries)})}
        )
        shown = [line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in lines]
        content = DecodedStreamObject()
        body = "".join(f"({line}) Tj T*\n" for line in shown)
        content.set_data(f"BT /F1 9 Tf 12 TL 40 760 Td\n{body}ET".encode("cp1252"))
        page[NameObject("/Contents")] = writer._add_object(content)
    if password or owner:
        writer.encrypt(password, owner or None, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx(*lines: tuple[str, str]) -> bytes:
    """Write a DOCX of paragraphs, each with its style; a style of ``bold`` is a bold run."""
    document = Document()
    for text, style in lines:
        if style == "bold":
            document.add_paragraph().add_run(text).bold = True
        else:
            document.add_paragraph(text, style=style or None)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


ROOMY = Limits(max_document_bytes=200_000)


def test_a_resume_is_split_into_its_projects() -> None:
    """A PDF's lines carry no structure but bullets: titles are the short lines before them, and not what is wrapped."""
    found = of("ana.pdf", pdf(RESUME))
    assert [(i.id, i.title, i.candidate, i.origin) for i in found] == [
        ("ana.pdf#1", "Hive weights", "ana", "ana.pdf, project 1"),
        ("ana.pdf#2", "Titanic survival", "ana", "ana.pdf, project 2"),
    ]
    assert found[0].text.splitlines()[2] == "Published the data set with a paper on swarming"
    assert found[1].text == "\n".join(RESUME[9:12])
    assert not any("example.org" in item.text or "SQL" in item.text for item in found)


def test_a_word_file_is_split_by_what_is_bold() -> None:
    """Headings and bold titles are known as such there, and lists as bullets; a merged cell counts once."""
    found = of(
        "cv.docx",
        docx(
            ("Bo", "Title"),
            ("Projekte", "Heading 1"),
            ("Frog calls", "bold"),
            ("Recorded forty nights at two ponds", "List Bullet"),
            ("Wine quality", "bold"),
            ("Random forest on the UCI data", ""),
            ("Kenntnisse", "Heading 1"),
            ("Deutsch", ""),
        ),
        ROOMY,
    )
    assert [(i.title, i.text) for i in found] == [
        ("Frog calls", "Frog calls\n- Recorded forty nights at two ponds"),
        ("Wine quality", "Wine quality\nRandom forest on the UCI data"),
    ]
    document = Document()
    table = document.add_table(1, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "A report on bees"
    out = io.BytesIO()
    document.save(out)
    assert [i.text for i in of("r.docx", out.getvalue(), ROOMY)] == ["A report on bees"]


def test_a_resume_without_a_section_of_projects_is_read_whole() -> None:
    """It says so; a document that is no résumé is simply a text."""
    (item,) = of("bo.pdf", pdf(["Bo", "Experience", "Counted frogs with a microphone array", "Skills", "Python"]))
    assert item.candidate == "bo"
    assert [notice.code for notice in item.notices] == ["resume-whole"]
    lines = ["Summary", "We weighed bees.", "Final Project", "Twelve hives for a year.", "References"]
    (report,) = of("report.pdf", pdf(lines))
    assert (report.candidate, report.text) == ("", "\n".join(lines))
    assert {item.candidate for item in of("My_CV-2.pdf", pdf(RESUME))} == {""}


def test_a_pdf_that_cannot_be_read_says_why() -> None:
    """Encrypted, scanned, cut off, or no PDF: one clear error each; an empty password opens by itself."""
    assert error("a.pdf", pdf(RESUME, "secret")) == "a.pdf is encrypted. Send it without a password."
    assert len(of("a.pdf", pdf(RESUME, owner="whoever may print it"))) == 2
    assert "has 2 pages and no text: it looks scanned" in error("a.pdf", pdf(["12"], pages=2))
    assert "is not a readable PDF" in error("a.pdf", pdf(RESUME)[:200])
    assert "is not a readable PDF" in error("a.pdf", b"bees")
    assert "is not a readable PDF" in error("a.pdf", b"")
    assert len(PdfReader(io.BytesIO(pdf(RESUME, pages=3))).pages) == 3
    (item,) = of("a.pdf", pdf(["Bees were weighed for a year"], pages=3), Limits(max_pages=2))
    assert item.text.count("Bees") == 2
    assert item.notices[0].message == "a.pdf has 3 pages; the first 2 were read."


def test_a_word_file_that_cannot_be_read_says_why() -> None:
    """Encrypted or older, broken, empty, and one that unpacks to far more than it is."""
    assert "is encrypted, or an old .doc file" in error("a.docx", b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    assert "is not a readable DOCX" in error("a.docx", b"PK\x03\x04bees")
    assert "has no text" in error("a.docx", docx(("", "")), ROOMY)
    bomb = zipped({"word/document.xml": b"\0" * 3_000_000})
    assert "unpacks to more than is read of a DOCX" in error("a.docx", bomb)
    assert "is not a readable DOCX" in error("a.docx", zipped({"bees.txt": b"hives"}))


def test_a_member_without_a_name_is_an_error_of_its_own() -> None:
    """The library can't even tell whether that is a folder."""
    data = zipped({"a.md": b"hives", "#": b"x"}).replace(b"#", b"\0")
    assert [(i.id, i.text) for i in of("a.zip", data)] == [("a file without a name", ""), ("a.md", "hives")]


# --- archives and folders --------------------------------------------------------------------------------------------


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack a ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def tarred(files: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """Pack a plain TAR archive; a header alone is a link or a device."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, data in files.items():
            if isinstance(data, tarfile.TarInfo):
                packed.addfile(data)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


PORTFOLIOS = {
    "course/ana/bees/README.md": b"hives",
    "course/ana/bees/requirements.txt": b"numpy",
    "course/ana/bees/data.csv": b"text\nno\n",
    "course/ana/bees/hives.ipynb": notebook(cell("pd.read_csv('hives.csv')")),
    "course/ana/cv.pdf": pdf(RESUME),
    "course/bo/frogs/.git/x.md": b"no",
    "course/bo/frogs/notes.txt": b"frogs",
    "course/bo/__MACOSX/README.md": b"no",
    "course/bo/frogs/pic.png": b"no",
}


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tar.bz2", "folder"])
def test_folders_of_candidates_give_ids_and_candidates(form: str, tmp_path: Path) -> None:
    """Packed or not, the same: a README with what its notebook loads, a résumé's projects, and whose they are."""
    pack: dict[str, Callable[[dict[str, bytes]], bytes]] = {
        "zip": zipped,
        "tar": tarred,
        "tar.gz": lambda files: gzip.compress(tarred(files)),
        "tar.bz2": lambda files: bz2.compress(tarred(files)),
    }
    if form == "folder":
        for name, data in PORTFOLIOS.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
        (tmp_path / "course/link.md").symlink_to("/etc/hostname")
        found = list(items([tmp_path], SMALL))
    else:
        found = of(f"a.{form}", pack[form](PORTFOLIOS))
    assert [(i.id, i.candidate) for i in found] == [
        ("course/ana/bees/README.md", "ana"),
        ("course/ana/cv.pdf#1", "ana"),
        ("course/ana/cv.pdf#2", "ana"),
        ("course/bo/frogs/notes.txt", "bo"),
    ]
    assert found[0].text == "hives\n\nIts notebook hives.ipynb: It reads hives.csv.\n"


@pytest.mark.parametrize(
    ("paths", "candidates"),
    [
        (["ana/bees/README.md", "bo/x.md", "notes.md"], ["ana", "bo", ""]),
        (["ana/bees/README.md", "ana/frogs/README.md"], ["ana", "ana"]),
        (["main/README.md", "main/docs/guide/x.md"], ["", ""]),  # one repository, as it's downloaded
        (["a.md", "b/README.md"], ["", ""]),
    ],
)
def test_a_folder_is_a_candidate_only_where_folders_lie_in_it(paths: list[str], candidates: list[str]) -> None:
    """A repository, or a folder of READMEs, is nobody's."""
    found = {i.id: i.candidate for i in of("a.zip", zipped(dict.fromkeys(paths, b"bees")))}
    assert [found[path] for path in paths] == candidates


def test_a_folder_gives_its_texts_by_path(tmp_path: Path) -> None:
    """Every text or Markdown file below a folder, in the order of paths, each under its path."""
    for name, text in {"b/README.md": "two", "a.txt": "one", "c.png": "no", "b/z.JSON": "no"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [(i.id, i.text) for i in items([tmp_path])] == [("a.txt", "one"), ("b/README.md", "two")]
    for name in ("security.md", "b/security.md", "b/node_modules/x/README.md", "b/requirements-dev.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("more")
    assert [i.id for i in items([tmp_path])] == ["a.txt", "b/README.md", "security.md"]


def test_a_table_alone_in_an_archive_is_read() -> None:
    """Beside READMEs it is their data; alone it is what was sent."""
    assert [i.text for i in of("a.zip", zipped({"in.csv": b"id,text\n1,hives\n"}))] == ["hives"]
    assert "holds nothing that is read" in error("a.zip", zipped({"x.png": b"no"}))


def test_a_hostile_member_costs_itself_alone() -> None:
    """Climbing and absolute paths, links, passwords, archives within, damage: an error each; the good one is read."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in (
            "good.md",
            "../up.md",
            "/etc/x.md",
            "C:\\x.md",
            "a\\..\\..\\x.md",
            "in.zip",
            "locked.md",
            "bad.md",
        ):
            packed.writestr(name, "hives")
        link = zipfile.ZipInfo("link.md")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    data = bytearray(out.getvalue())
    data[data.rfind(b"locked.md") - 46 + 8] |= 1  # its flags
    data[data.rfind(b"bad.md") - 46 + 16] ^= 0xFF  # its checksum
    found = {i.id: i.error for i in of("a.zip", bytes(data))}
    assert {name: message.split(". ")[0] for name, message in found.items()} == {
        "good.md": "",
        "../up.md": "../up.md leads out of the archive, or is no path",
        "/etc/x.md": "/etc/x.md leads out of the archive, or is no path",
        "C:/x.md": "C:/x.md leads out of the archive, or is no path",
        "a/../../x.md": "a/../../x.md leads out of the archive, or is no path",
        "in.zip": "in.zip is an archive within the archive, which is not opened",
        "locked.md": "locked.md is encrypted",
        "bad.md": "bad.md is damaged in the archive (BadZipFile)",
        "link.md": "link.md is a link, which is not followed",
    }


def test_a_hostile_tar_member_costs_itself_alone() -> None:
    """Links, devices and paths out are errors of their own."""
    link, hard, device = tarfile.TarInfo("l.md"), tarfile.TarInfo("h.md"), tarfile.TarInfo("d.md")
    link.type, hard.type, device.type = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
    link.linkname = hard.linkname = "/etc/passwd"
    found = of("a.tar", tarred({"g.md": b"hives", "../u.md": b"x", "l": link, "h": hard, "d": device}))
    assert {i.id: (i.text, i.error.split(". ")[0]) for i in found} == {
        "g.md": ("hives", ""),
        "../u.md": ("", "../u.md leads out of the archive, or is no path"),
        "l.md": ("", "l.md is a link, which is not followed"),
        "h.md": ("", "h.md is a link, which is not followed"),
        "d.md": ("", "d.md is no ordinary file (a device, a pipe, one with holes)"),
    }


def test_a_bomb_stops_at_the_budget() -> None:
    """What was read before counts; a member past its limit, and all past the whole's, are errors."""
    lying = {"a.md": b"hives", "b.md": b"\0" * 5_000_000, "c.md": b"frogs"}
    found = of("a.zip", zipped(lying))
    assert [(i.id, i.text, i.error[:16]) for i in found] == [
        ("a.md", "hives", ""),
        ("b.md", "", "b.md is larger t"),
        ("c.md", "frogs", ""),
    ]
    many = {f"{n:02}.md": b"y" * 19_000 for n in range(9)}
    found = of("a.zip", zipped(many))
    assert [bool(i.text) for i in found] == [True] * 5 + [False] * 4
    assert found[-1].error.startswith("a.zip unpacks to more than the 0 MB")
    found = of("a.tgz", gzip.compress(tarred({"a.md": b"hives", "b.md": b"\0" * 5_000_000, "c.md": b"frogs"})))
    assert [(i.id, i.text) for i in found] == [("a.md", "hives"), ("b.md", ""), ("a.tgz", "")]
    assert found[-1].error.startswith("a.tgz unpacks to more than the 0 MB")
    assert "holds more than the 50 files" in error("a.zip", zipped({f"{n}.md": b"x" for n in range(51)}))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.bz2"])
def test_an_archive_that_is_none_is_told(name: str) -> None:
    """Whatever is in it, or nothing."""
    for data in (b"", b"bees", b"\x1f\x8b" + zlib.compress(b"x"), b"BZh91AY", b"PK\x03\x04"):
        assert "is not a readable" in error(name, data) or "holds nothing that is read" in error(name, data)


# --- anything --------------------------------------------------------------------------------------------------------

SEEDS = {
    ".zip": zipped(PORTFOLIOS),
    ".tar": tarred({"a.md": b"hives", "b/c.md": b"frogs"}),
    ".tgz": gzip.compress(tarred({"a.md": b"hives"})),
    ".pdf": pdf(RESUME),
    ".docx": docx(("Projects", "Heading 1"), ("Bees", "bold"), ("weighed for a year by hand", "")),
    ".ipynb": notebook(cell("load_iris()")),
    ".csv": 'id,text\n1,"hives, weighed"\n2,frogs\n'.encode("utf-16"),
    ".jsonl": b'{"id": 1, "text": "hives"}\n{"id": 2}\n',
}


@pytest.mark.parametrize("suffix", sorted(SEEDS))
@given(data=st.data())
def test_no_damage_stops_the_reading(suffix: str, data: st.DataObject) -> None:
    """A file with bytes changed, cut off or put in gives items, each with a text or an error, and nothing is raised."""
    content = bytearray(SEEDS[suffix])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    content = content[: data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) and content else content
    for item in of(f"a{suffix}", bytes(content), ROOMY):
        assert not (item.error and item.text)
        assert item.id or not item.error


@pytest.mark.parametrize("suffix", sorted(KINDS - {".parquet"}))
@given(content=st.binary(max_size=200))
@example(content=b"")
def test_any_bytes_are_readable_or_told(suffix: str, content: bytes) -> None:
    """Whatever a file holds, it gives items and raises nothing."""
    for item in of(f"a{suffix}", content):
        assert item.origin.startswith("a") or item.error


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1), min_size=1, max_size=5))
def test_a_table_gives_back_what_was_written(suffix: str, texts: list[str]) -> None:
    """Whatever stands in the cells, quotes, delimiters and ends of lines among it: the same texts, in order."""
    told = [f"bees {text} bees" for text in texts]
    out = io.StringIO(newline="")
    if suffix == ".jsonl":
        out.write("".join(json.dumps({"id": str(n), "text": one}) + "\n" for n, one in enumerate(told)))
    else:
        rows = [("id", "text"), *enumerate(told)]
        csv.writer(out, delimiter="\t" if suffix == ".tsv" else ",").writerows(rows)
    found = list(of(f"a{suffix}", out.getvalue().encode(), ROOMY))
    assert [item.text for item in found] == told
    assert [item.id for item in found] == [str(n) for n in range(len(told))]


def test_a_first_line_that_is_no_head_is_not_repeated() -> None:
    """Where a table has no head, its first line is somebody's text; names of columns are told, sentences are not."""
    idea = "A map of the frogs that my aunt heard between the two bridges"
    for table in (f"id,{idea}\n1,\n2,\n", f"{idea},b\n1,2\n", f"{idea * 1000},text\n1,\n"):
        for item in of("a.csv", table, ROOMY):
            assert "frogs" not in item.error + str(item.notices)
