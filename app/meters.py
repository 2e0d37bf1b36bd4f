"""What the service counts and times, for Prometheus; docs/RUNBOOK.md says what to make of it. No label carries a text.

Whatever is live, such as the length of the queue, is read when it is asked for. What lies in a database is counted in
the background (``app.screenings.service``): who looks at /metrics must not wait for a database that is away.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from app import stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.checker import Checker

    Work = Callable[[Checker], Any]

Run = TypeVar("Run", bound="Callable[..., Any]")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of the histogram: from a cached sentence to the longest text of a batch."""
WAITING = "waiting"
"""The stage before all others: for a worker."""
WATCHED = ("internal-error", "overloaded", "screenings-unusable", "store-unavailable", "too-many-requests")
"""Problems that docs/deploy/alerts.yaml asks for."""
_BUILD = ("software", "catalogue_version", "model", "rules")


class Meters:
    """All of a service's own figures, in a registry of its own."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.checks = self._counter("checks", "Reports by verdict.", "verdict")
        self.problems = self._counter("problems", "Requests that were refused or failed, by kind.", "problem")
        self.swaps = self._counter("index_swaps", "New generations of the index that were seen.", "outcome")
        # From 0 on: an increase from nothing at all is none to Prometheus, and what is rare would never be told.
        for problem in WATCHED:
            self.problems.labels(problem)
        for outcome in ("taken", "refused"):
            self.swaps.labels(outcome)
        self.stage_s = Histogram(
            "originality_stage_seconds",
            "Time that one piece of work spent in a stage itself, without the stages within it.",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._asked: dict[object, float] = {}
        self._begun: set[object] = set()
        live = self._gauge("requests_waiting", "Requests that wait for a worker.")
        live.set_function(lambda: len(self._asked) - len(self._begun))
        self._gauge("requests_at_work", "Requests that a worker is busy with.").set_function(lambda: len(self._begun))
        age = self._gauge("oldest_request_seconds", "Age of the oldest request that waits or is worked on.")
        age.set_function(self._oldest_s)
        self._ready = self._gauge("ready", "1 where checks can be done, 0 until then and while the service ends.")
        self._generation = self._gauge("index_generation", "Number of the index that checks run on; 0 for none.")
        self._drift = self._gauge("drift", "What is not as this release was tested with.")
        self._build = self._gauge("build", "What checks run on; always 1.", *_BUILD)
        self._items = self._gauge("screening_items", "Projects of screenings that are to be judged.", "state")
        self._jobs = self._gauge("screening_jobs", "Screenings that are kept, by state.", "state")
        self._messages = self._gauge("screening_messages", "Messages of screenings that wait to be sent.")
        self._held_up = self._gauge("screening_oldest_seconds", "Age of the oldest screening with projects to judge.")
        self._database = self._gauge("screenings_database_up", "0 where the database of screenings can't be used.")
        self.screenings({}, {}, 0.0, 0)

    def _counter(self, name: str, said: str, *labels: str) -> Counter:
        return Counter(f"originality_{name}", said, labels, registry=self.registry)

    def _gauge(self, name: str, said: str, *labels: str) -> Gauge:
        return Gauge(f"originality_{name}", said, labels, registry=self.registry)

    @contextmanager
    def asked(self, work: Work) -> Iterator[Work]:
        """Follow a request from when it asks for a worker to when it has its answer; do what is given in its stead."""
        token, began = object(), time.perf_counter()
        self._asked[token] = began

        def timed(checker: Checker) -> Any:
            self._begun.add(token)
            watch = Watch()
            watch.spent[WAITING] = time.perf_counter() - began
            with stages.heard_by(watch.stage):
                try:
                    return work(checker)
                finally:
                    for name, seconds in watch.spent.items():
                        self.stage_s.labels(name).observe(seconds)

        try:
            yield timed
        finally:
            self._begun.discard(token)
            del self._asked[token]

    def _oldest_s(self) -> float:
        oldest = min(tuple(self._asked.values()), default=None)
        return 0.0 if oldest is None else time.perf_counter() - oldest

    def opened(self, about: Mapping[str, Any], generation: int, drift: int) -> None:
        """Take note of what checks run on from now on.

        Args:
            about: ``Checker.info``.
            drift: how many things are not as the release was tested with.
        """
        self._build.clear()
        self._build.labels(*(about.get(name, "") for name in _BUILD)).set(1)
        self._generation.set(generation)
        self._drift.set(drift)

    def ready(self, tell: Callable[[], bool]) -> None:
        """Ask this whether checks can be done."""
        self._ready.set_function(lambda: float(tell()))

    def screenings(
        self, jobs: Mapping[str, int], items: Mapping[str, int], oldest_s: float, messages: int, *, up: bool = True
    ) -> None:
        """Take note of how many screenings and projects there are, by state; a state without any is 0."""
        for gauge, counts, states in (
            (self._jobs, jobs, ("running", "paused", "done", "cancelled")),
            (self._items, items, ("waiting", "held")),
        ):
            for state in states:
                gauge.labels(state).set(counts.get(state, 0))
        self._held_up.set(oldest_s)
        self._messages.set(messages)
        self._database.set(up)

    def no_database(self) -> None:
        """Take note that the database of screenings can't be used; what was counted last stays."""
        self._database.set(0)


class Watch:
    """Adds up what each stage takes itself: a stage within a stage stops the outer one's time.

    Attributes:
        spent: seconds by stage, so far.
    """

    def __init__(self) -> None:
        """Begin at nothing."""
        self.spent: dict[str, float] = {}
        self._within: list[float] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; to be called by one thread."""
        began = time.perf_counter()
        self._within.append(0.0)
        try:
            yield
        finally:
            whole, within = time.perf_counter() - began, self._within.pop()
            self.spent[name] = self.spent.get(name, 0.0) + whole - within
            if self._within:
                self._within[-1] += whole


def metered(run: Run) -> Run:
    """Have a service's ``run`` followed by its ``meters``."""

    @wraps(run)
    async def around(service: Any, work: Work, *rest: Any, **more: Any) -> Any:
        with service.meters.asked(work) as timed:
            return await run(service, timed, *rest, **more)

    return cast("Run", around)
