"""Draws how far a long run has come: count, rate and time left."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from rich.progress import Task


class _Rate(ProgressColumn):
    """How many are done in a second, or a minute where they are slow."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("–/s")
        return Text(f"{speed:,.1f}/s" if speed >= 1 else f"{60 * speed:,.1f}/min")


@contextmanager
def bar(total: int, done: int = 0, file: TextIO | None = None) -> Iterator[Callable[[int, str], None]]:
    """Draw a bar on standard error, or on a file.

    Args:
        total: how many there are to do; the bar grows if it turns out that there are more.
        done: how many were done before; they count for how far it is, and not for the rate.

    Yields:
        What moves it: it takes how many are done in all, and a few words.
    """
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=file, stderr=file is None), refresh_per_second=4) as drawn:
        task = drawn.add_task("", total=max(total, done), completed=done)

        def move(count: int, words: str) -> None:
            most = drawn.tasks[0].total or 0
            drawn.update(task, completed=count, total=max(most, count), description=words)

        yield move
