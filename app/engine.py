"""Spreads work over processors and machines with Daft; the only room that knows Daft, and Ray below it.

The same code runs in this process, which is the default, and on a Ray cluster where the settings name one. There every
machine needs this release with its extra ``ray``, and the files that the settings name at the same places.
"""

from __future__ import annotations

import itertools
import os
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from app.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

WAVE = 512
"""Parcels that are handed over together: they and their answers are in memory at a time. A machine of a cluster loads
the model once a wave, which takes seconds; a wave of texts takes it minutes."""
PARTS_A_MACHINE = 4
"""Parts of a wave for each machine of a cluster: more would shorten the wait for the slowest, and cost as much."""
_QUIET = {
    "DO_NOT_TRACK": "1",  # both send statistics home unless they are told not to
    "DAFT_ANALYTICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
}


class Work(Protocol):
    """What is done to parcels; it is sent to the machines that do it, so that it must be small."""

    def open(self) -> Callable[[str], bytes]:
        """Load what it takes, once a process, and give what turns a parcel into its answer."""
        ...


def spread(work: Work, parcels: Iterable[str], ray_address: str = "") -> Iterator[bytes]:
    """Do something to every parcel.

    Args:
        parcels: read a wave at a time; each should be work for some tenths of a second.
        ray_address: of a cluster, such as ``auto`` or ``ray://HOST:10001``; empty for this process.

    Returns:
        The answers in the order of the parcels, each as soon as it and all before it are there.

    Raises:
        EngineUnavailable: if Daft or Ray isn't installed, or the cluster can't be reached or is lost.
    """
    daft, machines = _started(ray_address)
    column = _task(daft, machines)(work).do(daft.col("parcel"))
    waiting = iter(parcels)
    while wave := list(itertools.islice(waiting, WAVE)):
        yield from _wave(daft, column, wave, machines)


def _wave(daft: Any, column: Any, parcels: Sequence[str], machines: int) -> Iterator[bytes]:
    table = daft.from_pydict({"place": list(range(len(parcels))), "parcel": list(parcels)})
    if machines > 1:
        table = table.into_partitions(min(PARTS_A_MACHINE * machines, len(parcels)))
    done: dict[int, bytes] = {}
    following = 0
    rows = table.select(daft.col("place"), column.alias("answer")).iter_rows()
    while row := _next(rows):
        done[row["place"]] = row["answer"]
        while following in done:
            yield done.pop(following)
            following += 1


def _next(rows: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return next(rows, None)
    except Exception as error:
        # Ray has its own errors for machines that go, and Daft wraps some of them; our own work's fall through.
        if type(error).__module__.split(".")[0] != "ray":
            raise
        raise EngineUnavailable(
            f"The Ray cluster broke off ({type(error).__name__}). What is written stays: the same command goes on "
            "there, of screen with --resume."
        ) from error


def _started(ray_address: str) -> tuple[Any, int]:
    """Import Daft, choose where it runs, and count the machines there: none for this process."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import daft  # noqa: PLC0415  half a second, and its absence is an error of ours

        if not ray_address:
            _stay_here(daft)
            return daft, 0
        import ray  # noqa: PLC0415  seconds, likewise
    except ImportError as error:
        extra = "ray" if error.name == "ray" else "daft"
        raise EngineUnavailable(
            f"The engine needs a package that is missing ({error.name}). "
            f"Run: pip install 'originality-checker[{extra}]'"
        ) from error
    try:
        if not ray.is_initialized():
            ray.init(address=ray_address, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise EngineUnavailable(
            f"The Ray cluster of ORIGINALITY_RAY_ADDRESS can't be used ({type(error).__name__}). "
            "Check that it runs, or leave that setting empty to work in this process."
        ) from error
    daft.set_runner_ray(noop_if_initialized=True)
    return daft, sum(node["Alive"] for node in ray.nodes())


@cache
def _stay_here(daft: Any) -> None:
    """Choose this process; Daft lets nobody choose twice."""
    daft.set_runner_native()


def _task(daft: Any, machines: int) -> Any:
    """Make the class that Daft opens in each process and calls with a parcel at a time."""
    # The model uses all processors of a machine for one parcel already: one process a machine is enough. To ask for a
    # number of instances in this process would move them out of it.
    how: dict[str, Any] = {"max_concurrency": machines} if machines else {"use_process": False}

    class Task:
        def __init__(self, work: Work) -> None:
            self._do = work.open()

        @daft.method.batch(return_dtype=daft.DataType.binary(), batch_size=1)  # type: ignore[untyped-decorator]
        def do(self, parcels: Any) -> list[bytes]:
            return [self._do(parcel) for parcel in parcels.to_pylist()]

    return daft.cls(**how)(Task)
