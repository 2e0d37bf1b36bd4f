"""Writes what came out of a screening: one line a project, each candidate's most original work first, and no mean."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from app import render
from app.report import Report
from app.screenings import near
from app.screenings.fairness import figures
from app.screenings.people import People
from app.screenings.veil import veil, veil_report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.screenings.store import Store

RANK = {"original": 0, "partly_known": 1, "well_worn": 2}
"""What comes first within one candidate's work; unclear ones and errors come last, for a person to look at."""
COLUMNS = ("number", "candidate", "link", *render.CSV_COLUMNS, "override", "override_reason", "error")
MOST_IN_CELL = 32_767
"""Characters that a cell of Excel holds."""
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
}
Line = dict[str, Any]


def line(row: Mapping[str, Any], people: People, *, reveal: bool) -> Line:
    """Give one result as it is shown.

    Args:
        people: of the whole screening; each is hidden in the others' work too.
        reveal: show who it is; else ids, names, addresses and links are hidden, in the quotes too.
    """
    report = json.loads(row["report"]) if row["report"] else None
    over = row["override"]
    shown: Line = {
        "number": row["number"],
        "id": row["name"],
        "candidate": row["candidate"],
        "link": row["link"],
        "error": row["error"],
        "report": report,
        "override": over,
    }
    if reveal:
        return shown
    return shown | {
        "id": f"Project {row['number']}",
        "candidate": people.called.get(row["candidate"], ""),
        "link": "",
        "error": without(row["error"], row, people),
        "report": veil_report(report, people.names) if report else None,
        "override": over | {"reason": veil(over["reason"], people.names)} if over else None,
    }


def lines(rows: Sequence[Mapping[str, Any]], people: People, *, reveal: bool) -> list[Line]:
    """Give all results: candidates in the order of what they sent, each one's most original work first."""
    places = {name: n for n, name in enumerate(people.called)}

    def order(row: Mapping[str, Any]) -> tuple[int, tuple[int, float, int]]:
        return places.get(row["candidate"], len(places)), rank(row)

    return [line(row, people, reveal=reveal) for row in sorted(rows, key=order)]


def rank(row: Mapping[str, Any]) -> tuple[int, float, int]:
    """Order one candidate's work: the most original first, what is unclear or broken last; a person's word counts."""
    verdict = row["override"]["verdict"] if row["override"] else row["verdict"]
    return RANK.get(verdict, len(RANK)), row["probability"] or 0.0, row["number"]


def without(error: str, row: Mapping[str, Any], people: People) -> str:
    """Hide a person in an error: it may begin with the name of a file."""
    return veil(error, [*people.names, *(filter(None, (row["name"], row["origin"])))]) if error else ""


def _cells(one: Line) -> list[str]:
    over = one["override"] or {"verdict": "", "reason": ""}
    if one["report"]:
        report = Report.model_validate(one["report"]).model_copy(update={"id": one["id"]})
        middle = [*render.to_csv_row(report), *map(_safe, (over["verdict"], over["reason"])), ""]
    else:
        *empty, message = render.to_csv_error(one["id"], one["error"])
        middle = [*empty, "", "", message]
    return [str(one["number"]), _safe(one["candidate"]), _safe(one["link"]), *middle]


def _safe(text: str) -> str:
    """Guard a cell as the renderer guards its own: an id goes first there, and nothing else is taken of it."""
    return render.to_csv_error(text, "")[0]


def to_csv(found: Sequence[Line]) -> bytes:
    """Write CSV with a mark of UTF-8, without which Excel takes it for another encoding."""
    written = io.StringIO()
    out = csv.writer(written)
    out.writerow(COLUMNS)
    out.writerows(_cells(one) for one in found)
    return written.getvalue().encode("utf-8-sig")


def to_jsonl(found: Sequence[Line]) -> bytes:
    """Write a JSON object a line, reports whole."""
    return "".join(render.dumps(one) + "\n" for one in found).encode()


def to_xlsx(found: Sequence[Line]) -> bytes:
    """Write one sheet for Excel; every cell is a string, so that none is run as a formula or followed as a link."""
    import xlsxwriter  # noqa: PLC0415  only who exports to Excel waits for it

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Projects")
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(found), len(COLUMNS) - 1)
        for y, cells in enumerate([list(COLUMNS), *(_cells(one) for one in found)]):
            for x, cell in enumerate(cells):
                sheet.write_string(y, x, cell[:MOST_IN_CELL])
    return stream.getvalue()


def to_html(found: Sequence[Line]) -> bytes:
    """Write one page that needs nothing else, with every report in it."""
    rows = [(one, Report.model_validate(one["report"]) if one["report"] else None) for one in found]
    template = render.environment().get_template("screening_file.html")
    return template.render(lines=rows, figures=figures(), style=render.style()).encode()


WRITERS: dict[str, Callable[[Sequence[Line]], bytes]] = {
    "csv": to_csv,
    "jsonl": to_jsonl,
    "xlsx": to_xlsx,
    "html": to_html,
}


def written(store: Store, owner: str, name: str, kind: str, *, reveal: bool) -> bytes:
    """Write all results so far as one file.

    Raises:
        ScreeningMissing: if there is none of that name for this owner.
    """
    people = People.of(store.people(owner, name))
    return WRITERS[kind](lines(store.results(owner, name), people, reveal=reveal))


def compared(store: Store, owner: str, name: str, people: People) -> tuple[list[near.Pair], list[near.Handout]]:
    """Compare the texts of a screening with names hidden: a changed name hides no copy, and none is shown.

    Raises:
        ScreeningMissing: if there is none of that name for this owner.
    """
    texts = store.texts(owner, name)
    return near.find(near.Text(number, whose, veil(text, people.names)) for number, whose, text in texts)
