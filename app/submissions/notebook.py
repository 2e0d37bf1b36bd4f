"""Reads Jupyter notebooks: their Markdown, the comments of their code, and the calls that load data, as sentences."""

from __future__ import annotations

import json
import re
import tokenize
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from app.errors import FileUnreadable
from app.submissions.item import Item, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.submissions.item import Limits

_SKIPPED = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT}
_READS = re.compile(r"(?:read|scan)_[a-z_]+|loadtxt|genfromtxt|loadmat|from_csv|open_dataset|imread|read\.\w+")
_LOADS = re.compile(
    r"load_\w+|fetch_\w+|load|load_data|dataset_download|competition_download|get_rdataset|fetch_ucirepo|"
    r"image_dataset_from_directory|from_name|get_dataset"
)
_CLASSES = re.compile(r"(?:\w+\.)*datasets\.[A-Z]\w*")
_NO_DATA = re.compile(
    r"(?:\w+\.)*(?:load_(?:model|weights|state_dict|dotenv|ext|img|workbook)|joblib\.load|pickle\.load|"
    r"json\.load|torch\.load|yaml\.\w+|spacy\.load|np\.load|fetch_(?:all|one|many)|load)"
)
_FILE = re.compile(
    r"[^\s\"']+\.(?:csv|tsv|txt|xlsx?|json|jsonl|parquet|feather|h5|hdf5|mat|arff|data|npz|npy|nc|db|sqlite)"
    r"(?:\.(?:gz|zip|bz2|xz))?",
    re.IGNORECASE,
)
_SHELL = re.compile(r"^\s*[!%]+\s*(.*)$")
_KAGGLE = re.compile(r"\bkaggle\s+(competitions|datasets)\s+download\b(.*)")
_DOWNLOAD = re.compile(r"(?>.*?\b(?:wget|curl|gdown)\b).*?(https?://\S+)")  # from the first tool on, and no other
_CODE_COMMENT = re.compile(r"[#%!\s\-=*]*(?:type: ?ignore|noqa|pylint|coding[:=]|!/).*")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_LIKE_CODE = re.compile(r"[(=]\s{0,9}\S{0,200}[)\]]|[;{}]$|^\w+\(")
"""Looks like code in a comment; bounded, for a line of nothing but brackets would be read to its end from each one."""
_MOST_CELL_CHARS = 200_000
_MOST_LINE_CHARS = 2_000
"""Of a line of code, comment included: what cuts it into tokens takes time with the square of its length."""
_MOST_OPEN = 20
"""Brackets, texts and lines of one cell that are never closed: each has all of the rest read once more."""
_MOST_LOADS = 30
_MOST_NAME_CHARS = 120


@dataclass(frozen=True, slots=True)
class Notebook:
    """What a notebook says.

    Attributes:
        text: its Markdown and comments in their order, then its loads.
        loads: one sentence for each way that data is loaded, each once.
    """

    text: str
    loads: tuple[str, ...]


def told(path: str, found: Notebook) -> str:
    """Say what a notebook loads, as a paragraph to put behind a README; nothing if it loads nothing."""
    return f"\n\nIts notebook {PurePosixPath(path).name}: {' '.join(found.loads)}\n" if found.loads else ""


def read_notebook(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a notebook as one item."""
    found = parse(name, whole(name, stream, limits.max_document_bytes))
    if not found.text.strip():
        raise FileUnreadable(f"{name} holds no Markdown, no comment and no call that loads data. Say what it does.")
    yield Item(name, found.text, name)


def parse(name: str, data: bytes) -> Notebook:
    """Read a notebook of format 3 or 4.

    Raises:
        FileUnreadable: if it is none.
    """
    try:
        content: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(f"{name} is no notebook: it isn't JSON. Save it from Jupyter as .ipynb.") from error
    cells = _cells(content)
    if cells is None:
        raise FileUnreadable(f"{name} is no notebook: it has no cells. Save it from Jupyter as .ipynb.")
    parts: list[str] = []
    loads: list[str] = []
    for cell in cells:
        source = _source(cell)
        if cell.get("cell_type") in ("markdown", "heading"):
            parts.append(source)
        elif cell.get("cell_type") == "code":
            comments, found = _code(source)
            parts += comments
            loads += found
    unique = tuple(dict.fromkeys(loads))[:_MOST_LOADS]
    return Notebook("\n\n".join([*filter(str.strip, parts), *([" ".join(unique)] if unique else [])]), unique)


def _cells(content: Any) -> list[dict[str, Any]] | None:
    """Find the cells: in format 4 they stand at the top, in format 3 on worksheets."""
    if not isinstance(content, dict):
        return None
    cells: Any = content.get("cells")
    if cells is None and isinstance(content.get("worksheets"), list):
        sheets = [sheet for sheet in content["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet.get("cells"), list) for cell in sheet["cells"]]
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else None


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _code(source: str) -> tuple[list[str], list[str]]:
    """Give the comments and the loads of a code cell."""
    loads: list[str] = []
    lines: list[str] = []
    for line in source[:_MOST_CELL_CHARS].splitlines():
        shell = _SHELL.match(line)
        if shell:
            loads += _downloads(shell[1])
        # A bare magic is no Python, and an empty block would be none either.
        lines.append("pass" if shell else line[:_MOST_LINE_CHARS])
    comments: list[str] = []
    tokens: list[tokenize.TokenInfo] = []
    for token in _tokens(lines):
        if token.type == tokenize.COMMENT:
            comments.append(token.string)
        if token.type not in _SKIPPED:
            tokens.append(token)
    return _said(comments), [*loads, *_calls(tokens)]


def _tokens(lines: list[str]) -> Iterator[tokenize.TokenInfo]:
    """Cut code into tokens; past what can't be cut, line by line."""
    at = to_the_end = 0
    while at < len(lines) and to_the_end < _MOST_OPEN:
        rest = _ended(lines, at)
        last = 0
        try:
            for token in tokenize.generate_tokens(rest.__next__):
                last = max(last, token.end[0])
                yield token
            at = len(lines)
        except (tokenize.TokenError, SyntaxError, ValueError):
            # An open bracket is reported at the end of the cell: what stands before it has been given by then.
            at += max(1, last)
            to_the_end += next(rest, None) is None


def _ended(lines: list[str], at: int) -> Iterator[str]:
    """Give the lines from one on, each with its end: none is copied for what is never read."""
    for number in range(at, len(lines)):
        yield f"{lines[number]}\n"


def _said(comments: list[str]) -> list[str]:
    """Keep the comments that say something: not code that was switched off, not rules and marks."""
    plain = (comment.lstrip("#!%- =*").strip() for comment in comments if not _CODE_COMMENT.fullmatch(comment))
    return [line for line in plain if len(_WORDS.findall(line)) >= 2 and not _LIKE_CODE.search(line)]


def _calls(tokens: list[tokenize.TokenInfo]) -> Iterator[str]:
    for place, token in enumerate(tokens):
        if token.string == "(" and place and tokens[place - 1].type == tokenize.NAME:
            called = _dotted(tokens, place - 1)
            if sentence := _sentence(called, _first_text(tokens, place + 1)):
                yield sentence


def _dotted(tokens: list[tokenize.TokenInfo], place: int) -> str:
    parts = [tokens[place].string]
    while place >= 2 and tokens[place - 1].string == "." and tokens[place - 2].type == tokenize.NAME and len(parts) < 6:
        place -= 2
        parts.insert(0, tokens[place].string)
    return ".".join(parts)


def _first_text(tokens: list[tokenize.TokenInfo], place: int) -> str:
    """Give the first argument where it is a plain text, be it named or not; else nothing."""
    found = tokens[place : place + 3]
    if len(found) == 3 and found[0].type == tokenize.NAME and found[1].string == "=":
        found = found[2:]
    if not found or found[0].type != tokenize.STRING:
        return ""
    return re.sub(r"^[rbuRBU]{0,2}(\"\"\"|'''|\"|')(.*)\1$", r"\2", found[0].string, flags=re.DOTALL).strip()


def _sentence(called: str, argument: str) -> str:
    last = called.rpartition(".")[2]
    shown = argument[:_MOST_NAME_CHARS]
    if (_READS.fullmatch(last) or _READS.fullmatch(called[-len(last) - 5 :])) and argument:
        return f"It reads {_file(shown)}."
    if _CLASSES.fullmatch(called):
        return f"It loads the data with {called}."
    if not _LOADS.fullmatch(last) or (_NO_DATA.fullmatch(called) and not called.startswith("tfds.")):
        return ""
    if _FILE.fullmatch(argument):
        return f"It reads {_file(shown)}."
    return f"It loads the data with {called}({shown!r})." if argument else f"It loads the data with {called}()."


def _file(path: str) -> str:
    """Give an address as it is, and of a path the file's name: folders are the author's own."""
    return path if "://" in path else PurePosixPath(path.replace("\\", "/")).name or path


def _downloads(command: str) -> Iterator[str]:
    if found := _KAGGLE.search(command):
        names = [word for word in found[2].split() if not word.startswith("-")]
        if names:
            yield f"It downloads {names[0][:_MOST_NAME_CHARS]} from Kaggle."
    elif found := _DOWNLOAD.match(command):
        yield f"It downloads {found[1][:300].rstrip(chr(34) + chr(39))}."
