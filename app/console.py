"""What the commands share: standard input and output, quiet libraries, and the opening of what they work on."""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from app.errors import BadInput, IndexMissing, IndexStale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.catalogue import Catalogue
    from app.checker import Checker
    from app.encoder import TextEncoder
    from app.report import Report
    from app.settings import Settings
    from app.store import Store


class Engine(StrEnum):
    """Where work on many texts is done."""

    local = "local"
    daft = "daft"


class Format(StrEnum):
    """How many reports are written."""

    jsonl = "jsonl"
    csv = "csv"
    html = "html"


ENGINE_OPTION = typer.Option(
    "--engine", help="daft: by Daft, in this process, or on the Ray cluster that ORIGINALITY_RAY_ADDRESS names."
)


def open_checker() -> Checker:
    """Open the checker, its index built first if need be."""
    # What is opened here stays till the end, and going through it all again and again took a fifth of the time.
    gc.disable()
    try:
        from app import drift  # noqa: PLC0415
        from app.settings import Settings  # noqa: PLC0415

        settings = Settings.from_environment()
        try:
            return drift.open_checker(settings, thorough=False)
        except (IndexMissing, IndexStale):
            build(settings)
            return drift.open_checker(settings, thorough=False)
    finally:
        gc.freeze()
        gc.enable()


def rephrased(report: Report, text: str, catalogue: Catalogue, language: str) -> Report:
    """Have the suggestions worded anew, if a language model was chosen; says first, on standard error, what leaves."""
    from app.settings import Settings  # noqa: PLC0415

    chosen = Settings.from_environment().language_model
    if chosen is None:
        return report
    import asyncio  # noqa: PLC0415

    from app.rephrase import opened  # noqa: PLC0415  with what it sends by, it takes longer than the check

    rephraser = opened(chosen)
    if rephraser is None or not report.suggestions:
        return report
    typer.echo(
        f"originality: the beginning of the text and its suggestions are sent to {rephraser.host} to be worded anew; "
        "--plain sends nothing.",
        err=True,
    )
    return asyncio.run(rephraser.rephrase(report, text, catalogue, language))


def collections() -> Store:
    """Find the collections without loading the model."""
    from app.encoder import SentenceTransformersEncoder  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415
    from app.stores import open_store  # noqa: PLC0415

    return open_store(Settings.from_environment(), SentenceTransformersEncoder.pinned_name())


@contextmanager
def encoder(engine: Engine, purpose: str) -> Iterator[TextEncoder]:
    """Load the model, or find the engine that does; what an engine has encoded is kept until the block ends well.

    Args:
        purpose: what is built, such as a collection's name: what was broken off is gone on with under the same.
    """
    from app.settings import Settings  # noqa: PLC0415

    settings = Settings.from_environment()
    if engine is Engine.local:
        from app import runtime  # noqa: PLC0415

        yield runtime.served(settings.runtimes_dir, "reference" if settings.encoder == "reference" else "fp32")
        return
    from app.bulk import SpreadEncoder  # noqa: PLC0415

    spread = SpreadEncoder(settings.index_dir.parent / "encoding" / purpose, settings.ray_address, _tell)
    yield spread
    spread.clear()


def build(settings: Settings, *, force: bool = False, engine: Engine = Engine.local) -> bool:
    """Build the index if it is stale or that is forced; tell whether it was built."""
    from app.checker import ensure_index  # noqa: PLC0415

    if engine is Engine.local:
        return ensure_index(settings, tell=_tell, force=force)
    with encoder(engine, "catalogue") as spread:
        return ensure_index(settings, encoder=spread, tell=_tell, force=force)


def _tell(line: str) -> None:
    typer.echo(f"index: {line}", err=True)


def quiet() -> None:
    """Keep the libraries' progress bars and notices out of our output, and their threads out of each other's way."""
    # Its threads wait in a busy loop. Our matrices are small, and the cores are shared out by sentence and by request:
    # a service that left this at its default took several times the processor's time for a check.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)


def received() -> str:
    """Read standard input.

    Raises:
        BadInput: if it is not UTF-8.
    """
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"Standard input is not UTF-8 (byte {error.start}). Send plain text or Markdown in UTF-8."
        ) from error


def say(text: str, *, flush: bool = False) -> None:
    """Write a line in UTF-8, whatever the terminal says."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    if flush:
        sys.stdout.buffer.flush()
