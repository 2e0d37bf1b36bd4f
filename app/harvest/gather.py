"""Runs a source into a Parquet file: page by page, to be broken off and gone on with, and finished in one step."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from app import generations
from app.catalogue import Catalogue
from app.corpus import FIELDS
from app.errors import BadInput, SourceUnusable
from app.harvest import known, source
from app.harvest.partial import Partial, kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.harvest.page import Source

KNOWN = "known"
MOST_STALE_PAGES = 3
"""Pages in a row without one new row before a source is taken for one that gives the same page for ever."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run has made.

    Attributes:
        rows: in the file.
        known: of them, those that the curated catalogue has already.
        skipped: items of the source that were no rows.
    """

    rows: int
    known: int
    skipped: int


def gather(
    source_name: str,
    output: Path,
    *,
    base_url: str = "",
    limit: int | None = None,
    catalogue: Catalogue | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Read a source into a Parquet file with the columns of ``corpus.Row`` and ``known``.

    Args:
        source_name: one of ``harvest.SOURCES``.
        output: ends in .parquet; one that is there is replaced when all is read.
        base_url: of a mirror; for the source ``files`` the path of a file or folder.
        limit: most rows; at least 1.
        catalogue: the curated one; the released one if not given.
        tell: gets a line of progress a page.

    Raises:
        BadInput: if an argument can't be, or the disk refuses.
        SourceUnusable: if the source does; what was read is kept beside the output, and the next run goes on.
    """
    origin = source(source_name, base_url)
    _check(output, limit)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with Partial(output, {"source": source_name, "base_url": base_url}) as partial:
            _fill(partial, origin, limit, tell)
            rows, hits = _finish(partial, output, limit, known.table(catalogue or Catalogue.load()))
            partial.remove()
    except OSError as error:
        raise BadInput(
            f"{output} can't be written ({error.strerror or type(error).__name__}). Make room, or name another file; "
            "the next run goes on from what is there."
        ) from error
    tell(f"{source_name}: {rows:,} rows in {output}, {hits:,} of them known; {partial.doubled:,} stood there twice")
    return Summary(rows, hits, partial.skipped)


def _check(output: Path, limit: int | None) -> None:
    if output.suffix.lower() != ".parquet":
        raise BadInput(f"The output is a Parquet file: name one that ends in .parquet, not {output.name}.")
    if limit is not None and limit < 1:
        raise BadInput(f"The limit is {limit}; at least 1 row must be allowed.")


def _fill(partial: Partial, origin: Source, limit: int | None, tell: Callable[[str], None]) -> None:
    """Read what is missing of the source."""
    if partial.rows:
        tell(f"{origin.name}: going on after {partial.rows:,} rows")
    if partial.after is None or _enough(partial, limit):
        return
    stale = 0
    with closing(origin.pages(partial.after)) as pages:
        for page in pages:
            stale = 0 if partial.add(page) or not page.rows else stale + 1
            if stale >= MOST_STALE_PAGES:
                raise SourceUnusable(
                    f"{origin.name} gave {stale} pages in a row without a new row: it doesn't page. Check the address."
                )
            tell(f"{origin.name}: {partial.rows:,} rows, {partial.skipped:,} items skipped")
            if _enough(partial, limit):
                return
    if not partial.rows:
        partial.remove()
        raise SourceUnusable(
            f"{origin.name} has given no row ({partial.skipped:,} items were none). Check the address."
        )


def _enough(partial: Partial, limit: int | None) -> bool:
    return limit is not None and partial.rows >= limit


def _finish(partial: Partial, output: Path, limit: int | None, curated: Mapping[str, str]) -> tuple[int, int]:
    """Write the table beside the output, then put it in its place in one step.

    Returns:
        How many rows it has, and how many of them are known.
    """
    import datasets  # noqa: PLC0415  takes a second, and only the end needs it

    fresh = output.with_name(f".{output.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)  # a run that was killed here has left it; the lock is ours
    fresh.mkdir()
    try:
        datasets.disable_progress_bars()
        table = datasets.Dataset.from_generator(
            _records,
            features=datasets.Features({name: datasets.Value("string") for name in (*FIELDS, KNOWN)}),
            cache_dir=str(fresh / "cache"),
            gen_kwargs={"path": str(partial.path), "limit": limit, "curated": dict(curated)},
        )
        table.to_parquet(str(fresh / output.name))
        generations.flush(fresh / output.name)
        (fresh / output.name).replace(output)
        generations.flush(output.parent)
        return table.num_rows, sum(1 for entry in table[KNOWN] if entry)
    except datasets.exceptions.DatasetGenerationError as error:
        raise BadInput(
            f"{output} can't be written ({error.__cause__}). Make room, and run the command again."
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _records(path: str, limit: int | None, curated: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for row in islice(kept(Path(path)), limit):
        yield {**asdict(row), KNOWN: known.find(curated, row)}
