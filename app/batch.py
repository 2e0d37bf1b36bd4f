"""Screens many inputs from the command line: one line out for each in, errors apart, and going on after a stop."""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import typer

from app import ahead, console, submissions
from app.errors import BadInput, OriginalityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from app.checker import Submission
    from app.report import Report
    from app.submissions import Item, Limits

    Result = tuple[Item, Report | OriginalityError]
    Groups = Iterable[Sequence[Submission]]
    Judging = Callable[[Groups], Iterable[list[Report | OriginalityError]]]
    """Judges groups of texts, in order; it may take several of them before it gives the first back."""


AT_ONCE = 2
"""Groups that are judged at a time: while one waits for the encoder, Python works on the other."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be screened, and how it's written.

    Attributes:
        links: files that are lists of links.
        limits: how much is read, and which columns a table has.
        fetch: follow the links.
        errors: file that the errors are copied to.
        engine: where it's done.
    """

    files: tuple[Path, ...]
    links: tuple[Path, ...] = ()
    limits: Limits = submissions.LIMITS
    fetch: bool = False
    format: console.Format = console.Format.jsonl
    output: Path | None = None
    errors: Path | None = None
    resume: bool = False
    suggest: bool = True
    collections: tuple[str, ...] = ()
    engine: console.Engine = console.Engine.local


@dataclass(slots=True)
class Tally:
    """What has come of it so far: in all runs, if one was gone on with."""

    judged: int = 0
    flagged: int = 0
    failed: int = 0

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.judged:,} judged, {self.flagged:,} of them flagged; {self.failed:,} could not be judged"


def screen(order: Order) -> Tally:
    """Screen an order to its end, writing each line as soon as it's known.

    Raises:
        BadInput: if options contradict each other, or a path can't be read; nothing has been written then.
    """
    if not order.files and not order.links:
        raise BadInput("Give files or folders to screen, or a list of links: --links FILE.")
    if order.resume and order.format is console.Format.html:
        raise BadInput("--resume goes on with lines, and HTML is one page: use --format jsonl or csv.")
    done = _done(order) if order.resume else Tally()
    skip = done.judged + done.failed
    found = _found(order)  # looks at the paths before the model is loaded
    judging = _judging(order)
    with ExitStack() as stack:
        advance = stack.enter_context(_progress(order, skip))
        errors = stack.enter_context(_errors(order, done.failed))
        results = _results(judging, order, itertools.islice(found, skip, None))
        counted = _counted(results, done, errors, advance)
        lines = _written(counted, order.format, header=not skip)
        stream = stack.enter_context(order.output.open("ab" if order.resume else "wb")) if order.output else None
        for line in lines:
            if stream is None:
                console.say(line, flush=True)
            else:
                stream.write(line.encode("utf-8", "replace") + b"\n")
                stream.flush()
    return done


def _found(order: Order) -> Iterator[Item]:
    items = submissions.items(order.files, order.limits, order.links)
    if not order.fetch:
        return map(_unfollowed, items)
    from app.fetch import follow  # noqa: PLC0415  only links need the web
    from app.settings import Fetching  # noqa: PLC0415

    return follow(items, Fetching.from_environment())


def _unfollowed(item: Item) -> Item:
    if not item.pending:
        return item
    return replace(item, error=f"{item.origin}: a link, which is only followed where --fetch says so.")


def _judging(order: Order) -> Judging:
    """Open the checker, or what judges on an engine."""
    if order.engine is console.Engine.local:
        checker = console.open_checker()
        judge = partial(checker.check_many, advise=order.suggest)
        return lambda groups: (judged for _, judged in ahead.ordered(judge, groups, AT_ONCE))
    from app import bulk  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    settings = Settings.from_environment()
    console.build(settings)
    return lambda groups: bulk.judged(groups, settings, advise=order.suggest)


def _results(judging: Judging, order: Order, items: Iterator[Item]) -> Iterator[Result]:
    """Judge items in groups; a bad one is its error."""
    from app.checker import GROUP, Submission  # noqa: PLC0415

    taken, waiting = itertools.tee(iter(lambda: list(itertools.islice(items, GROUP)), []))
    asked = (
        [Submission(i.text, i.id, i.title, collections=order.collections) for i in group if not i.error]
        for group in taken
    )
    for judged, group in zip(judging(asked), waiting, strict=True):
        results = iter(judged)
        for item in group:
            _tell(item)
            yield item, BadInput(item.error) if item.error else _with_notices(item, next(results))


def _tell(item: Item) -> None:
    """Say once a file how it was read: which column was taken for what."""
    for notice in item.notices:
        if notice.code.startswith("file-"):
            typer.echo(f"originality: {notice.message}", err=True)


def _with_notices(item: Item, result: Report | OriginalityError) -> Report | OriginalityError:
    """Put what is to be said of how an item was read to its report's warnings."""
    from app.report import Notice  # noqa: PLC0415

    about = [Notice(code=n.code, message=n.message) for n in item.notices if not n.code.startswith("file-")]
    if isinstance(result, OriginalityError) or not about:
        return result
    return result.model_copy(update={"warnings": [*result.warnings, *about]})


def _counted(
    results: Iterator[Result], tally: Tally, errors: BinaryIO | None, advance: Callable[[Tally], None]
) -> Iterator[Result]:
    """Count what passes, and copy errors: before the line itself, so that a stop in between loses none."""
    for item, result in results:
        if isinstance(result, OriginalityError):
            tally.failed += 1
            if errors:
                row = {"id": item.id, "origin": item.origin, "line": item.line, "error": str(result)}
                errors.write(json.dumps(row).encode() + b"\n")
                errors.flush()
        else:
            tally.judged += 1
            tally.flagged += result.flagged
        advance(tally)
        yield item, result


# --- what is written -------------------------------------------------------------------------------------------------


def _written(results: Iterator[Result], format: console.Format, *, header: bool) -> Iterator[str]:  # noqa: A002
    from app import render  # noqa: PLC0415

    if format is console.Format.html:
        yield render.to_html_overview(
            (item.id, None, str(result)) if isinstance(result, OriginalityError) else (item.id, result, "")
            for item, result in results
        )
        return
    if format is console.Format.csv and header:
        yield _csv_line((*render.CSV_COLUMNS, "error"))
    for item, result in results:
        if isinstance(result, OriginalityError):
            error = str(result)
            in_csv = format is console.Format.csv
            row = {"id": item.id, **_whose(item), "error": error}
            yield _csv_line(render.to_csv_error(item.id, error)) if in_csv else render.dumps(row)
        elif format is console.Format.csv:
            yield _csv_line(render.to_csv_row(result))
        else:
            yield render.dumps(result.model_dump(mode="json") | _whose(item))


def _whose(item: Item) -> dict[str, str]:
    return {"candidate": item.candidate} if item.candidate else {}


def _csv_line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()


# --- going on --------------------------------------------------------------------------------------------------------


def _done(order: Order) -> Tally:
    """Count what an earlier run has written, and cut off a line that it was stopped within.

    Raises:
        BadInput: if there is no output to go on with.
    """
    if order.output is None:
        raise BadInput("--resume needs --output: the file to go on with.")
    tally = Tally()
    if not order.output.exists():
        return tally
    with order.output.open("rb+") as stream:
        whole = 0
        for line in stream:
            if not line.endswith(b"\n"):
                break
            first, whole = whole == 0, whole + len(line)
            if order.format is console.Format.csv and first:
                continue
            _count_line(line, order.format, tally)
        # A header without a row is written anew with the first of them.
        stream.truncate(whole if tally.judged or tally.failed else 0)
    return tally


def _count_line(line: bytes, format: console.Format, tally: Tally) -> None:  # noqa: A002
    if format is console.Format.csv:
        cells = next(csv.reader([line.decode("utf-8", "replace")]), [""])
        failed, flagged = bool(cells[-1]) and not cells[1], cells[2:3] == ["true"]
    else:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise BadInput("--resume goes on with an output of this command, and --output holds other lines.")
        failed, flagged = "error" in row and "verdict" not in row, row.get("flagged") is True
    tally.failed += failed
    tally.judged += not failed
    tally.flagged += flagged


@contextmanager
def _errors(order: Order, kept: int) -> Iterator[BinaryIO | None]:
    """Open the file of errors; one that is gone on with keeps as many lines as the output has errors."""
    if order.errors is None:
        yield None
        return
    old = order.errors.read_bytes().splitlines(keepends=True)[:kept] if kept and order.errors.exists() else []
    with order.errors.open("wb") as stream:
        stream.writelines(old)
        yield stream


# --- progress --------------------------------------------------------------------------------------------------------


@contextmanager
def _progress(order: Order, skip: int) -> Iterator[Callable[[Tally], None]]:
    """Draw a bar with rate and time left on a terminal, unless the lines themselves go there; else nothing."""
    if not sys.stderr.isatty() or (order.output is None and sys.stdout.isatty()):
        yield lambda _: None
        return
    from app import progress  # noqa: PLC0415  drawing costs a tenth of a second

    # Read twice, and not kept: a file of a million lines is no heap of memory.
    total = sum(1 for _ in submissions.items(order.files, order.limits, order.links))
    with progress.bar(total, skip) as move:
        yield lambda tally: move(tally.judged + tally.failed, f"{tally.flagged:,} flagged, {tally.failed:,} errors")
