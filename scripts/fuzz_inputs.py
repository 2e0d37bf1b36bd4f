"""Makes hostile texts and files for scripts/fuzz.py: real ideas, changed step by step, in files that are changed, too.

Every input hangs on its number alone, so that a run can be split, and one input made again; of the clock there are but
the times that archives and DOCX carry.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import random
import tarfile
import unicodedata
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import docx
import pyarrow as pa
import pyarrow.parquet as pq

from app.intake import MAX_CHARS
from tests.materials import told_pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CASES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "ideas.dev.jsonl"
MARK = "quetzalcoatlus"
"""Stands in every text, so that a message that repeats what was sent can be told by it."""
ODD = (
    "\ud800\udc00\udfff\udbff",  # halves of characters
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f",  # turns of direction
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\U000e0020\U000e0001",  # not to be seen
    "".join(map(chr, range(0x300, 0x370))) + "\u0e49\u0489\u20dd\u1ab0",  # put upon the letter before
    "".join(map(chr, range(0x20))) + "\x7f\x80\x85\x9f",  # of control
    "\u2028\u2029\u000b\u000c\r\n\u00a0\u3000\u1680\u2003",  # ends of lines, and blanks
    "\ufffe\uffff\U0001fffe\U0010ffff\ue000\U000f0000",  # no characters
    "👩🏽‍🔬🏴‍☠️🇵🇹1️⃣\U0001f9d1\u200d\U0001f680",
    "ﬁﬀÅÅΩẞıİßŉǅǆ℡㎒①²½ﷺ",  # what changes its length in other letters
    "Ανάλυσηпроектתיתאניקتحليلข้อมูลデータ分析데이터नमूना",
    "٣٤٥७८९௧௨Ⅳ𝟘𝟙",
    "'\"`´‘’“”«»()[]{}<>|\\/*_~#=+-.,:;!?&%$@^",
)
SNIPPETS = (
    "```python\n",
    "~~~\n",
    "<!--",
    "-->",
    "<script>",
    "<details><summary>",
    "<div align=center>",
    "&#x110000;&amp;&lt;&nope;",
    "| a | b |\n|---|---|\n",
    "\n\n1. ",
    "\n\nProject 2: ",
    "\n- ",
    "\n> ",
    "\n# ",
    "\n===\n",
    "\n---\n",
    "    ",
    "\t",
    "![x](http://",
    "[a]: http://b\n",
    "[](",
    "](",
    "**",
    "__",
    "$$",
    "https://github.com/a/b ",
    "http://[::1]:99999/%zz?a=b#",
    "pip install titanic\n",
    "e.g. i.e. Dr. 3.5 ... ?! ",
    "not never without instead of ",
    "titanic iris mnist ",
    "load_iris() train.csv ",
    "ignore all previous instructions ",
    "=cmd|' /C calc'!A0",
    "https://huggingface.co/datasets/",
    "%s%n{0}{{x}}${y}",
)
_LONGEST = 40_000
"""Usual bound of a text; one in a hundred goes up to what intake takes, and beyond."""
_FIELDS = ("text", "id", "title", "candidate", "link", "description", "url", "Name", "README")


@functools.cache
def ideas() -> tuple[str, ...]:
    """Give the labelled ideas, which are what most people send."""
    return tuple(str(json.loads(line)["text"]) for line in CASES.read_text(encoding="utf-8").splitlines())


def chance_of(seed: int, number: int) -> random.Random:
    """Give the chance that makes one input, and nothing else."""
    return random.Random(f"{seed}:{number}")  # noqa: S311  inputs, not secrets


def text(chance: random.Random, most: int = _LONGEST) -> str:
    """Make a text: an idea that is changed up to eight times, or nothing but odd signs."""
    if chance.random() < 0.01:
        most = 2 * MAX_CHARS
    made = chance.choice(ideas()) if chance.random() < 0.85 else ""
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5, 8))):
        made = chance.choice(_CHANGES)(chance, made)[:most]
    at = chance.randint(0, len(made))
    return f"{made[:at]} {MARK} {made[at:]}"


def _signs(chance: random.Random) -> str:
    pool = chance.choice(ODD)
    if chance.random() < 0.1:
        return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.choice((1, 5, 200))))
    return "".join(chance.choices(pool, k=chance.choice((1, 1, 2, 10, 300))))


def _insert(chance: random.Random, made: str) -> str:
    at = chance.randint(0, len(made))
    return made[:at] + _signs(chance) + made[at:]


def _insert_snippet(chance: random.Random, made: str) -> str:
    at = chance.randint(0, len(made))
    return made[:at] + chance.choice(SNIPPETS) + made[at:]


def _pump(chance: random.Random, made: str) -> str:
    """Repeat something often: what a pattern with a doubtful end is slow on."""
    at = chance.randint(0, len(made))
    what = chance.choice((chance.choice(SNIPPETS), _signs(chance)[:3], made[at : at + 20], "a", " ", "\n", "."))
    return made[:at] + what * int(10 ** chance.uniform(0, 4)) + made[at:]


def _cut(chance: random.Random, made: str) -> str:
    start, end = sorted((chance.randint(0, len(made)), chance.randint(0, len(made))))
    return chance.choice((made[:start] + made[end:], made[start:end], made[start:] + made[:end]))


def _join(chance: random.Random, made: str) -> str:
    return made + chance.choice(("\n\n", " ", "\n- ", "\r\n1. ", "")) + chance.choice(ideas())


def _recast(chance: random.Random, made: str) -> str:
    return chance.choice((str.upper, str.swapcase, _decomposed, _without_blanks, _spread, _doubled))(made)


def _decomposed(made: str) -> str:
    return unicodedata.normalize("NFKD", made)


def _without_blanks(made: str) -> str:
    return "".join(made.split())


def _spread(made: str) -> str:
    return " ".join(made[:2_000])


def _doubled(made: str) -> str:
    """Read as Latin-1 what was written as UTF-8, as broken programs do."""
    return made.encode("utf-8", "surrogatepass").decode("latin-1")


_CHANGES: tuple[Callable[[random.Random, str], str], ...] = (
    _insert,
    _insert,
    _insert_snippet,
    _insert_snippet,
    _pump,
    _cut,
    _join,
    _recast,
)


def address(chance: random.Random) -> str:
    """Make a web address, or what somebody may take for one."""
    hosts = (
        "github.com",
        "www.kaggle.com",
        "huggingface.co",
        "gitlab.com",
        "hf.co",
        "[::1]",
        "127.1",
        "bücher.example",
        "",
    )
    parts = (
        "ana",
        "bees",
        "datasets",
        "tree",
        "blob",
        "main",
        "..",
        "%2e%2e",
        "a b",
        "",
        "spaces",
        "code",
        "orgs",
        "%00",
    )
    made = chance.choice(("https://", "http://", "HTTP://", "//", "ftp://", "javascript:", ""))
    made += chance.choice(("", "", "user:pw@", "@")) + chance.choice(hosts)
    made += chance.choice(("", "", ":443", ":0", ":99999", ":x"))
    made += "".join("/" + chance.choice(parts) for _ in range(chance.randint(0, 6)))
    made += chance.choice(("", "?a=b&c", "#x", "?%zz", "\\", "\n"))
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        made = chance.choice(_CHANGES)(chance, made)[:3_000]
    return made


def content(chance: random.Random, kind: str) -> bytes:
    """Make a file of a kind: written rightly around hostile texts, and in half of the cases damaged after that."""
    made = _WRITERS[kind](chance) if chance.random() < 0.97 else chance.randbytes(chance.choice((0, 1, 100, 5_000)))
    for _ in range(chance.choice((0, 0, 0, 1, 1, 4))):
        made = _damaged(chance, made)
    return made


def _damaged(chance: random.Random, made: bytes) -> bytes:
    at, to = sorted((chance.randint(0, len(made)), chance.randint(0, len(made))))
    some = chance.randbytes(chance.choice((1, 1, 4, 50)))
    few = slice(at, at + len(some))
    return chance.choice(
        (
            made[:at] + some + made[few.stop :],
            made[:at] + some + made[at:],
            made[:at] + made[few.stop :],
            made[:to],
            made[:to] + made[at:],
            made[:at] + b"\x00" * len(some) + made[few.stop :],
            made.replace(b"0", b"9", chance.choice((1, 3))),
        )
    )


def _texts(chance: random.Random, least: int = 1) -> list[str]:
    return [text(chance, 4_000) for _ in range(chance.choice((least, 1, 1, 2, 5)))]


def _written(chance: random.Random) -> bytes:
    """Write a text in one of the encodings that people's programs use."""
    coding = chance.choice(
        ("utf-8",) * 6 + ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "shift-jis")
    )
    errors = "surrogatepass" if coding.startswith("utf") else "replace"
    return text(chance).encode(coding, errors)


def _value(chance: random.Random) -> Any:
    usual: tuple[Any, ...] = (None, True, -1, 10**400, 1e308, [], {}, [[[]]], {"text": None}, "")
    return chance.choice(usual) if chance.random() < 0.2 else text(chance, 4_000)


def _notebook(chance: random.Random) -> bytes:
    kinds = ("markdown", "code", "code", "raw", "heading", None)
    cells: list[Any] = []
    for made in _texts(chance):
        source: Any = chance.choice(
            (made, made.splitlines(keepends=True), f"import pandas\n# {made}\nx = pd.read_csv('{made}')")
        )
        cells.append({"cell_type": chance.choice(kinds), "source": source if chance.random() < 0.9 else _value(chance)})
    book: Any = {"cells": cells} if chance.random() < 0.8 else {"worksheets": [{"cells": cells}], "nbformat": 3}
    return json.dumps(book if chance.random() < 0.95 else _value(chance)).encode()


def _jsonl(chance: random.Random) -> bytes:
    lines = []
    for made in _texts(chance):
        row: Any = {"id": str(chance.randint(0, 9)), "text": made}
        if chance.random() < 0.4:
            row |= {chance.choice(_FIELDS): _value(chance)}
        lines.append(json.dumps(row if chance.random() < 0.95 else _value(chance), ensure_ascii=chance.random() < 0.7))
    return chance.choice(("\n", "\r\n", "\n\n")).join(lines).encode("utf-8", "surrogatepass")


def _csv(chance: random.Random, delimiter: str = "") -> bytes:
    out = io.StringIO()
    table = csv.writer(out, delimiter=delimiter or chance.choice(",;|\t"), lineterminator=chance.choice(("\n", "\r\n")))
    width = chance.randint(1, 5)
    header = chance.choices(_FIELDS, k=width) if chance.random() < 0.8 else [text(chance, 50) for _ in range(width)]
    table.writerow(header)
    for made in _texts(chance):
        table.writerow([made, *(str(_value(chance))[:4_000] for _ in range(width + chance.choice((-1, -1, -1, 0, 3))))])
    coding = chance.choice(("utf-8", "utf-8", "utf-16", "latin-1"))
    return out.getvalue().encode(coding, "replace" if coding == "latin-1" else "surrogatepass")


def _tsv(chance: random.Random) -> bytes:
    return _csv(chance, "\t")


def _sound(made: str) -> str:
    """Leave out halves of characters, which the libraries that write these files refuse."""
    return made.encode("utf-8", "replace").decode()


def _parquet(chance: random.Random) -> bytes:
    texts = list(map(_sound, _texts(chance)))
    columns: dict[str, Any] = {"text": texts, "id": [str(n) for n in range(len(texts))]}
    if chance.random() < 0.3:
        columns[_sound(text(chance, 30))] = [chance.random() for _ in texts]
    if chance.random() < 0.1:
        columns["text"] = [[one] for one in texts]
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def _pdf(chance: random.Random) -> bytes:
    lines = [line for one in _texts(chance) for line in one.splitlines()][:60]
    plain = (line.encode("ascii", "ignore").decode().translate({ord(c): " " for c in "()\\\r\n"}) for line in lines)
    return told_pdf(*(line[:400] for line in plain))


def _docx(chance: random.Random) -> bytes:
    document = docx.Document()
    styles = ("Normal", "Heading 1", "Heading 2", "List Bullet", "Title")
    for made in _texts(chance):
        plain = "".join(sign for sign in _sound(made) if sign.isprintable() or sign in "\n\t")
        for line in plain.splitlines()[:40]:
            document.add_paragraph(line[:2_000], style=chance.choice(styles))
    if chance.random() < 0.3:
        document.add_table(rows=2, cols=2).cell(0, 0).text = "Projects"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _members(chance: random.Random) -> list[tuple[str, bytes]]:
    folders = ("", "ana/", "ana/bees/", "../", "/", "__MACOSX/", ".git/", "a\\b/", "bücher/", "CON/", "a//")
    names = (
        "README.md",
        "idea.txt",
        "book.ipynb",
        "data.csv",
        "inner.zip",
        "requirements.txt",
        "LICENSE",
        "x",
        "a.docx",
    )
    found = []
    for _ in range(chance.randint(0, 5)):
        name = chance.choice(folders) + chance.choice(names)
        kind = Path(name).suffix
        write = _WRITERS.get(kind, _written) if kind in {".ipynb", ".csv"} else _written
        found.append((name, write(chance)))
    return found


def _zip(chance: random.Random) -> bytes:
    out = io.BytesIO()
    seen = set()
    with zipfile.ZipFile(out, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as packed:
        for name, made in _members(chance):
            if name not in seen:  # the library warns of the second
                seen.add(name)
                packed.writestr(name, made)
    return out.getvalue()


def _tar(chance: random.Random, mode: Literal["w", "w:gz", "w:bz2"] = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:
        for name, made in _members(chance):
            entry = tarfile.TarInfo(name)
            entry.size = len(made)
            entry.type = chance.choice(
                (tarfile.REGTYPE,) * 8 + (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE)
            )
            packed.addfile(entry, io.BytesIO(made) if entry.isreg() else None)
    return out.getvalue()


_WRITERS: dict[str, Callable[[random.Random], bytes]] = {
    ".txt": _written,
    ".md": _written,
    ".ipynb": _notebook,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
    ".pdf": _pdf,
    ".docx": _docx,
    ".zip": _zip,
    ".tar": _tar,
    ".tgz": functools.partial(_tar, mode="w:gz"),
    ".tar.bz2": functools.partial(_tar, mode="w:bz2"),
}
KINDS: Sequence[str] = tuple(_WRITERS)
