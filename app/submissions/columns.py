"""Finds out which column of a table holds what: as it's told, else by the names, else by the contents."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from statistics import fmean
from typing import TYPE_CHECKING

from app.errors import BadInput, FileUnreadable
from app.records import Notice
from app.submissions.item import Columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLE_ROWS = 50
"""Rows that a guess looks at."""

_NAMES = {
    "text": (
        *("text", "description", "idea", "project", "readme", "summary", "abstract"),
        *("project_description", "project_text", "about", "details", "content", "body", "beschreibung"),
        *("projektbeschreibung", "descripción", "descripcion", "descrição", "descricao", "descrizione", "açıklama"),
        *("описание", "描述", "项目描述", "説明", "설명"),
    ),
    "id": ("id", "custom_id", "name", "title", "repo", "url", "nr", "no", "number", "#"),
    "candidate": (
        *("candidate", "candidate_id", "candidate_name", "applicant", "applicant_id", "applicant_name", "student"),
        *(
            "student_id",
            "student_name",
            "author",
            "owner",
            "user",
            "username",
            "email",
            "e-mail",
            "bewerber",
            "candidat",
        ),
        *("candidato", "aday", "кандидат", "候选人", "応募者", "지원자"),
    ),
    "title": ("title", "project_title", "project_name", "headline", "titel", "titre", "título", "titulo", "标题"),
    "link": ("link", "url", "repo_url", "repository", "github", "gitlab", "homepage", "website", "address"),
}
"""Names taken for a column, in this order, whatever their case; blanks count as underscores."""
_MIN_MEAN_CHARS = 20
"""A column of unknown name is taken for the text from this mean length on: shorter ones are names and tags."""
_MOST_CHARS, _MOST_WORDS = 40, 5
"""What is longer is no name."""
_LINK = re.compile(r"https?://\S+$", re.IGNORECASE)


def parse(option: str) -> Columns:
    """Read ``text=Column name,id=Nr`` as it's given to a command or a form.

    Raises:
        BadInput: if it has another form.
    """
    known = [field.name for field in fields(Columns)]
    given: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in option.split(","))):
        role, equals, name = part.partition("=")
        role = role.strip().lower()
        if not equals or role not in known or not name.strip() or role in given:
            raise BadInput(
                f"Columns are given as text=NAME,id=NAME with each of these at most once: {', '.join(known)}."
            )
        given[role] = name.strip()
    return Columns(**given)


def choose(name: str, header: Sequence[str], sample: Sequence[Mapping[str, str]], asked: Columns) -> Columns:
    """Settle every column.

    Args:
        name: the file's, for messages.
        header: the columns' names as they stand in the file.
        sample: the first rows, by those names.
        asked: what somebody has said; it goes before every guess.

    Returns:
        The columns' names as in the header; an empty one is not there. There is a text or a link.

    Raises:
        FileUnreadable: if a column that was asked for isn't there, or none can hold a text or a link.
    """
    known = {_plain(column): column for column in reversed(header)}
    chosen = Columns(**{role: _asked(name, header, known, role, asked) for role in _NAMES})
    if not chosen.link:
        chosen = replace(chosen, link=_links(header, sample))
    for role in ("text", "candidate", "title", "id"):
        taken = {getattr(chosen, field.name) for field in fields(Columns)}
        if not getattr(chosen, role):
            # An id may be what serves as the title or the address as well; no other column serves twice.
            free = {key: column for key, column in known.items() if role == "id" or column not in taken}
            found = next((free[key] for key in _NAMES[role] if key in free), "")
            chosen = replace(chosen, **{role: found})
    if not chosen.text:
        chosen = replace(chosen, text=_longest(header, sample, chosen))
    if not chosen.text and not chosen.link:
        found = ", ".join(map(shown, header[:20])) or "none"
        raise FileUnreadable(
            f"{name} has no column for the text (found: {found}). Name one of: {', '.join(_NAMES['text'][:7])}; or say "
            "which it is: text=NAME."
        )
    return chosen


def told(name: str, chosen: Columns, asked: Columns) -> tuple[Notice, ...]:
    """Say what was guessed; nothing if all that is read was asked for."""
    pairs = [(field.name, getattr(chosen, field.name)) for field in fields(Columns)]
    if all(column == "" or getattr(asked, role) for role, column in pairs):
        return ()
    taken = ", ".join(f"{role} from {shown(column)!r}" for role, column in pairs if column)
    return (Notice("file-columns", f"{name}: {taken}. If a column is another one, say so: text=NAME,id=NAME."),)


def shown(column: str) -> str:
    """Give a column's name as a message may repeat it: where a table has no head, its first line is somebody's text."""
    is_name = len(column) <= _MOST_CHARS and len(column.split()) <= _MOST_WORDS and column.isprintable()
    return column if is_name else "(a sentence)"


def _plain(column: str) -> str:
    return re.sub(r"\s+", "_", column.strip().lower())


def _asked(name: str, header: Sequence[str], known: Mapping[str, str], role: str, asked: Columns) -> str:
    wanted: str = getattr(asked, role)
    if not wanted:
        return ""
    if wanted in header:
        return wanted
    if _plain(wanted) not in known:
        there = ", ".join(map(shown, header[:20])) or "none"
        raise FileUnreadable(f"{name} has no column {shown(wanted)!r} for the {role}. There are: {there}.")
    return known[_plain(wanted)]


def _cells(column: str, sample: Sequence[Mapping[str, str]]) -> list[str]:
    return [cell for row in sample if (cell := row.get(column, "").strip())]


def _links(header: Sequence[str], sample: Sequence[Mapping[str, str]]) -> str:
    """Find the column half of whose cells or more are web addresses; a known name goes first."""

    def rank(column: str) -> int:
        names = _NAMES["link"]
        return names.index(_plain(column)) if _plain(column) in names else len(names)

    found = [
        column
        for column in header
        if (cells := _cells(column, sample)) and sum(map(bool, map(_LINK.match, cells))) >= len(cells) / 2
    ]
    return min(found, key=rank, default="")


def _longest(header: Sequence[str], sample: Sequence[Mapping[str, str]], chosen: Columns) -> str:
    """Find the column with the longest cells, if they can be sentences."""
    taken = {chosen.id, chosen.candidate, chosen.title, chosen.link}
    lengths = {
        column: fmean(map(len, cells))
        for column in header
        if column not in taken and (cells := _cells(column, sample)) and fmean(" " in cell for cell in cells) > 0.5
    }
    best = max(lengths, key=lambda column: lengths[column], default="")
    return best if lengths.get(best, 0) >= _MIN_MEAN_CHARS else ""
