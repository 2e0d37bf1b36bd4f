"""Checks the READMEs of a repository where it is built: for people, for code hosts, and for what runs next."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import __version__, console, sarif
from app.errors import BadInput, FileUnreadable, OriginalityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from app.report import Report

_VERDICTS = {
    "well_worn": "well worn",
    "partly_known": "partly known",
    "original": "original",
    "off_topic": "off topic",
    "unclear": "unclear",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A file with its report, or with what was wrong with it."""

    path: str
    text: str
    result: Report | OriginalityError

    @property
    def report(self) -> Report | None:
        """Give the report, if there is one."""
        return None if isinstance(self.result, OriginalityError) else self.result

    @property
    def flagged(self) -> bool:
        """Tell whether it's flagged."""
        return bool(self.report and self.report.flagged)


def check(paths: Sequence[Path]) -> list[Checked]:
    """Judge files as they lie in the work tree.

    Raises:
        FileUnreadable: if one isn't there, or is no text.
        BadInput: if there are none.
    """
    from app.checker import Submission  # noqa: PLC0415

    if not paths:
        raise BadInput("Give the files to check, such as README.md.")
    texts = [_read(path) for path in paths]
    checker = console.open_checker()
    asked = [Submission(text, path.as_posix()) for path, text in zip(paths, texts, strict=True)]
    results = checker.check_many(asked, advise=False)
    return [Checked(p.as_posix(), text, result) for p, text, result in zip(paths, texts, results, strict=True)]


def _read(path: Path) -> str:
    try:
        # Line ends as they are: the positions of the evidence count them.
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8 text.") from error
    except OSError as error:
        raise FileUnreadable(f"{path} can't be read: {error.strerror}. Give files that are there.") from error


def lines(found: Iterable[Checked]) -> list[str]:
    """Say each file's verdict in a line, for a terminal."""
    return [f"{one.path}: {_said(one)}" for one in found]


def commands(found: Iterable[Checked]) -> list[str]:
    """Write the flagged as GitHub's workflow commands, which it shows beside the lines."""
    return [
        f"::warning file={_escaped(one.path, ':,')},line={sarif.line_of(one.text, one.report)['startLine']},"
        f"title=Originality::{_escaped(_said(one))}"
        for one in found
        if one.report and one.flagged
    ]


def as_sarif(found: Iterable[Checked]) -> str:
    """Write the flagged as SARIF."""
    known = [(one.path, one.text, one.report) for one in found if one.report]
    return json.dumps(sarif.document(known, __version__), indent=1) + "\n"


def as_summary(found: Iterable[Checked]) -> str:
    """Write a table in Markdown, for the page of a job."""
    rows = ["## Originality", "", "| file | verdict | flag | why |", "| --- | --- | --- | --- |"]
    for one in found:
        report = one.report
        cells = (
            (_VERDICTS[report.verdict], f"{report.flag_probability:.0%}", f"{report.summary} {report.change}")
            if report
            else ("could not be judged", "", str(one.result))
        )
        rows.append("| " + " | ".join(_cell(cell) for cell in (one.path, *cells)) + " |")
    note = "A public dataset alone is no fault; the flag is a calibrated probability, and a person decides."
    return "\n".join([*rows, "", note, ""])


def tell_github(found: Sequence[Checked], sarif_path: Path | None) -> None:
    """Append to the files that GitHub names in a job's environment; nothing where it names none."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(summary, as_summary(found))
    if output := os.environ.get("GITHUB_OUTPUT"):
        flagged = sum(one.flagged for one in found)
        _append(output, f"flagged={flagged}\nchecked={len(found)}\nsarif={sarif_path or ''}\n")


def _append(path: str, text: str) -> None:
    with open(path, "a", encoding="utf-8") as stream:  # noqa: PTH123  a path as GitHub gives it
        stream.write(text)


def _said(one: Checked) -> str:
    if one.report is None:
        return f"could not be judged: {one.result}"
    return f"{_VERDICTS[one.report.verdict]} ({one.report.flag_probability:.0%}). {one.report.summary}"


def _escaped(text: str, more: str = "") -> str:
    """Escape what would end a workflow command or one of its fields."""
    for letter in f"%\r\n{more}":  # the percent sign first: the others' escapes begin with it
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text


def _cell(text: str) -> str:
    """Make a text fit for a Markdown table: one line, no bar, no HTML."""
    plain = " ".join(text.split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
