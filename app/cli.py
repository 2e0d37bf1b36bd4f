"""The command line: one text or many, search, the service; see also ``upkeep``. It decides nothing of its own."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from app import __version__, console, upkeep
from app.errors import BadInput, BadSetting, OriginalityError, PortInUse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.records import EntryKind
    from app.report import Neighbour, SearchHit

EXIT_BAD_INPUT = 2
EXIT_FLAGGED = 3
EXIT_BROKEN = 4
EXIT_ERRORS = 5
EXIT_STOPPED = 130
"""What shells give to a command that was stopped by Ctrl-C."""
LOOPBACK = "127.0.0.1"

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tell whether a machine-learning project is a well-known method on well-known data, and what would help.",
)
cli.add_typer(upkeep.index, name="index")
cli.add_typer(upkeep.keys, name="keys")
cli.add_typer(upkeep.catalogue, name="catalogue")
cli.add_typer(upkeep.data, name="data")


class ReportFormat(StrEnum):
    """How one report is written."""

    text = "text"
    json = "json"
    html = "html"


class TableFormat(StrEnum):
    """How search hits are written."""

    table = "table"
    jsonl = "jsonl"


class Kind(StrEnum):
    """What is searched for."""

    dataset = "dataset"
    technique = "technique"
    tutorial = "tutorial"
    cliche = "cliche"


class InfoFormat(StrEnum):
    """How versions and counts are written."""

    text = "text"
    json = "json"


Nearby = Annotated[
    list[str] | None, typer.Option("--collection", help="Also show what is near in this collection; may be repeated.")
]


@cli.command()
def check(
    text: Annotated[str, typer.Argument(help="The project's description; - or nothing reads standard input.")] = "-",
    format: Annotated[ReportFormat, typer.Option(help="How to write the report.")] = ReportFormat.text,  # noqa: A002
    title: Annotated[str, typer.Option(help="The project's title.")] = "",
    language: Annotated[str, typer.Option(help="Two-letter code; detected if not given.")] = "",
    collection: Nearby = None,
    interests: Annotated[str, typer.Option(help="What you like; steers the advice, never the verdict.")] = "",
    place: Annotated[str, typer.Option(help="Where you live; likewise.")] = "",
    skills: Annotated[str, typer.Option(help="What you can do; likewise.")] = "",
    hours: Annotated[float | None, typer.Option(min=0, max=10_000, help="Hours that you have; likewise.")] = None,
    hardware: Annotated[str, typer.Option(help="What you have to run it on; likewise.")] = "",
    plain: Annotated[
        bool, typer.Option("--plain", help="Send nothing to the language model that the settings may choose.")
    ] = False,
    fail_on_flag: Annotated[
        bool, typer.Option("--fail-on-flag", help="Exit with 3 if the project is flagged.")
    ] = False,
) -> None:
    """Judge one project description."""
    from app import render  # noqa: PLC0415  keeps --help fast
    from app.records import About  # noqa: PLC0415

    received = console.received() if text == "-" else text
    about = About(interests, place, skills, hours, hardware)
    checker = console.open_checker()
    report = checker.check(
        received,
        title=title,
        language=language,
        about=None if about == About() else about,
        collections=collection or (),
    )
    if not plain:
        report = console.rephrased(report, received, checker.catalogue, language)
    write = {ReportFormat.text: render.to_text, ReportFormat.json: render.to_json, ReportFormat.html: None}[format]
    console.say(write(report) if write else render.to_html(report, received))
    if fail_on_flag and report.flagged:
        raise typer.Exit(EXIT_FLAGGED)


@cli.command()
def screen(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV, JSONL, Parquet, texts, notebooks, PDF and DOCX résumés, ZIP and TAR archives, folders of them."
        ),
    ] = None,
    links: Annotated[
        list[Path] | None, typer.Option(help="File with a link a line, which are followed; may be repeated.")
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Also follow links that stand where a text should.")] = False,
    columns: Annotated[
        str, typer.Option(help="Which columns a table has: text=NAME,id=NAME,candidate=…,title=…,link=…")
    ] = "",
    format: Annotated[console.Format, typer.Option(help="How to write the reports.")] = console.Format.jsonl,  # noqa: A002
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if not given.")] = None,
    errors: Annotated[
        Path | None, typer.Option(help="File to copy the errors to, as JSONL with the input's line number.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the lines that --output already holds.")
    ] = False,
    suggest: Annotated[bool, typer.Option("--suggest/--no-suggest", help="Also suggest ways forward; slower.")] = True,
    collection: Nearby = None,
    engine: Annotated[console.Engine, console.ENGINE_OPTION] = console.Engine.local,
    fail_on_flag: Annotated[bool, typer.Option("--fail-on-flag", help="Exit with 3 if a project is flagged.")] = False,
    fail_on_error: Annotated[
        bool, typer.Option("--fail-on-error", help="Exit with 5 if an input could not be judged.")
    ] = False,
) -> None:
    """Judge many projects: one line out for each one in, in their order; a bad one becomes a line with its error.

    Exits with 0 at the end, 2 if nothing could be judged, 130 if it was stopped; --resume goes on from there.
    """
    from app import batch, submissions  # noqa: PLC0415

    order = batch.Order(
        files=tuple(files or ()),
        links=tuple(links or ()),
        limits=submissions.Limits(columns=submissions.parse_columns(columns)),
        fetch=fetch or bool(links),
        format=format,
        output=output,
        errors=errors,
        resume=resume,
        suggest=suggest,
        collections=tuple(collection or ()),
        engine=engine,
    )
    try:
        tally = batch.screen(order)
    except KeyboardInterrupt:
        go_on = "" if output is None or format is console.Format.html else " The same command with --resume goes on."
        _fail(f"Stopped.{go_on}", EXIT_STOPPED)
    typer.echo(f"originality: {tally}.", err=True)
    if tally.failed and not tally.judged:
        raise typer.Exit(EXIT_BAD_INPUT)
    if fail_on_error and tally.failed:
        raise typer.Exit(EXIT_ERRORS)
    if fail_on_flag and tally.flagged:
        raise typer.Exit(EXIT_FLAGGED)


@cli.command()
def gate(
    files: Annotated[list[Path], typer.Argument(help="READMEs of a repository, by paths from its root.")],
    sarif: Annotated[Path | None, typer.Option(help="File to write the flagged to, as SARIF 2.1.0.")] = None,
    fail_on_flag: Annotated[
        bool, typer.Option("--fail-on-flag/--no-fail-on-flag", help="Exit with 3 if a file is flagged.")
    ] = False,
) -> None:
    """Check a repository's READMEs in a hook or a job; on GitHub it annotates, summarises and sets outputs."""
    from app import gate as work  # noqa: PLC0415

    found = work.check(files)
    console.say("\n".join(work.lines(found)))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in work.commands(found):
            console.say(line)
    if sarif:
        sarif.write_text(work.as_sarif(found), encoding="utf-8")
    work.tell_github(found, sarif)
    if not any(one.report for one in found):
        raise typer.Exit(EXIT_BAD_INPUT)
    if fail_on_flag and any(one.flagged for one in found):
        raise typer.Exit(EXIT_FLAGGED)


@cli.command()
def work() -> None:
    """Judge what waits in the database of screenings, beside the service or on another machine, until stopped."""
    from app import logs  # noqa: PLC0415
    from app.screenings.desk import Desk  # noqa: PLC0415
    from app.screenings.worker import work as begin  # noqa: PLC0415
    from app.settings import Fetching, Settings  # noqa: PLC0415

    settings = Settings.from_environment()
    logs.configure(settings.log_level, settings.log_format)
    begin(Desk(settings), console.open_checker(), Fetching.from_environment())


@cli.command()
def search(
    text: Annotated[str | None, typer.Argument(help="A description of what is sought.")] = None,
    queries: Annotated[Path | None, typer.Option(help="JSONL file with a query a line: id, text.")] = None,
    kind: Annotated[list[Kind] | None, typer.Option(help="Only entries of this kind; may be repeated.")] = None,
    modality: Annotated[list[str] | None, typer.Option(help="Only data of this form; may be repeated.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only what is used for this; may be repeated.")] = None,
    tier: Annotated[list[int] | None, typer.Option(min=1, max=3, help="Only of this tier; may be repeated.")] = None,
    k: Annotated[int, typer.Option(min=1, max=100, help="Hits a query.")] = 10,
    collection: Annotated[str, typer.Option(help="Search this collection instead of the catalogue.")] = "",
    format: Annotated[TableFormat, typer.Option(help="How to write the hits.")] = TableFormat.table,  # noqa: A002
) -> None:
    """Find known datasets, techniques, tutorials and clichés, or a collection's rows, by a description."""
    from app import submissions  # noqa: PLC0415
    from app.lookup import Filter, refuse_filters  # noqa: PLC0415

    if (text is None) == (queries is None):
        raise BadInput("Give either a description or --queries FILE.jsonl.")
    asked = list(submissions.items([queries])) if queries else [submissions.Item("", text or "", "argument")]
    kinds: tuple[EntryKind, ...] = tuple(one.value for one in kind or ())
    among = Filter(kinds=kinds, modalities=tuple(modality or ()), tasks=tuple(task or ()), tiers=tuple(tier or ()))
    refuse_filters(collection, among)
    checker = console.open_checker()
    for item in asked:
        hits: Sequence[SearchHit | Neighbour] = []
        if not item.error:
            hits = (
                checker.search_collection(collection, item.text, k)
                if collection
                else checker.search(item.text, k, among)
            )
        if format is TableFormat.jsonl:
            row: dict[str, object] = {"id": item.id, "hits": [hit.model_dump() for hit in hits]}
            console.say(json.dumps(row | ({"error": item.error} if item.error else {}), ensure_ascii=False))
        else:
            console.say("\n".join(_hit_line(hit) for hit in hits))


def _hit_line(hit: SearchHit | Neighbour) -> str:
    what = "" if hasattr(hit, "collection") else f"{hit.kind:9}  tier {hit.tier}  {'+'.join(hit.found_by):18}  "
    return f"{hit.cosine:6.3f}  {what}{hit.name}  {hit.url or ''}"


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; one that ends is replaced, and the others serve on.")
    ] = 1,
) -> None:
    """Serve the page and the API."""
    from app import ending, logs, memory  # noqa: PLC0415
    from app.api import create_app  # noqa: PLC0415
    from app.connections import TimedHeads  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    memory.few_arenas()
    _refuse_taken_port(host, port)
    settings = Settings.from_environment()
    if settings.api_keys is None:
        settings = replace(settings, api_keys=not _is_loopback(host))
    logs.configure(settings.log_level, settings.log_format)
    console.build(settings)
    typer.echo(f"Serving on http://{host}:{port} (stop with Ctrl-C)", err=True)
    if settings.ask_keys:
        typer.echo("The API asks for keys: originality keys add NAME --may check --may search", err=True)
    options = {"host": host, "port": port, "http": TimedHeads, "log_config": None}
    options |= {"access_log": False, "server_header": False}
    if workers > 1:
        # What was settled here holds for the processes, too, which read the environment anew.
        os.environ["ORIGINALITY_API_ACCESS"] = "keys" if settings.ask_keys else "open"
        ending.run_several("app.api:served", workers, settings.grace_s, **options)
        return
    app = create_app(settings)
    if not ending.run(app, app.state.end, settings.drain_s, settings.grace_s, **options):
        raise typer.Exit(EXIT_BROKEN)


@cli.command()
def mcp(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Serve streamable HTTP on this port of this machine instead, at /mcp."),
    ] = None,
) -> None:
    """Serve check, suggest and search to assistants over the Model Context Protocol, on standard input and output."""
    try:
        from app.mcp import create_server  # noqa: PLC0415
    except ImportError as error:
        raise BadSetting(
            f"The Model Context Protocol needs a package that is missing ({error.name}). "
            "Run: pip install 'originality-checker[mcp]'"
        ) from error
    from app import logs  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    if port is not None:
        _refuse_taken_port(LOOPBACK, port)
    settings = Settings.from_environment()
    logs.configure(settings.log_level, settings.log_format)
    console.build(settings)
    server = create_server(settings)
    if port is None:
        server.run("stdio")
    else:
        # On this machine alone: whoever reaches it is asked for no key.
        typer.echo(f"Serving on http://{LOOPBACK}:{port}/mcp (stop with Ctrl-C)", err=True)
        server.run("streamable-http", host=LOOPBACK, port=port)


@cli.command()
def info(
    format: Annotated[InfoFormat, typer.Option(help="How to write it.")] = InfoFormat.text,  # noqa: A002
) -> None:
    """Tell versions, the catalogue's counts, the model, the judge's date and figures, and the index."""
    from app import drift  # noqa: PLC0415

    checker = console.open_checker()
    found = checker.info() | {"drift": [asdict(one) for one in drift.seen(checker)]}
    if format is InfoFormat.json:
        console.say(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True))
        return
    console.say("\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in found.items()))


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; an expected error is one sentence on standard error and an exit code, never a traceback."""
    console.quiet()  # before anything is imported that asks for it
    try:
        cli(arguments, standalone_mode=True)
    except BadInput as error:
        _fail(str(error), EXIT_BAD_INPUT)
    except OriginalityError as error:
        _fail(str(error), EXIT_BROKEN)
    except BrokenPipeError:
        os._exit(0)  # the reader of our output has gone: nothing is left to say, nor anybody to say it to
    except OSError as error:
        _fail(f"{error.strerror or type(error).__name__}: {error.filename or 'the system refused'}.", EXIT_BROKEN)
    raise SystemExit(0)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"originality: {message}", err=True)
    raise SystemExit(code)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(
                f"Port {port} on {host} can't be had ({error.strerror}). Stop its user, or take another: --port 8001"
            ) from error
