"""Serves the page to people: the form, the report and its downloads, all of it without JavaScript."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.errors import BadInput, OriginalityError
from app.intake import MAX_CHARS
from app.records import About
from app.render import VERDICTS, environment, to_html, to_json, to_text
from app.serving import Problem, Service, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.datastructures import FormData

    from app.report import Report

STATIC = Path(__file__).resolve().parent / "static"
router = APIRouter(include_in_schema=False)


class HoursUnreadable(BadInput):
    """The hours that somebody has are not a number."""


@dataclass(frozen=True, slots=True)
class Example:
    """An idea to start from."""

    key: str
    name: str
    text: str


EXAMPLES = (
    Example(
        "titanic",
        "One that everybody does",
        "Predict who survives the Titanic with logistic regression on the Kaggle data.",
    ),
    Example(
        "flowers", "One that never says its data's name", "Predict flower species from petal and sepal length with kNN."
    ),
    Example(
        "bikes",
        "One with a known base and something added",
        "Forecast hourly bike-share demand with gradient boosting on the Washington data, then compare its errors with "
        "a week of counts that I took by hand at two stations in my own town.",
    ),
    Example(
        "orchard",
        "One that is somebody's own",
        "I photographed 4,000 leaves in our orchard, labelled the rust myself with two agronomists, and run a ResNet "
        "pretrained on ImageNet on a phone that the pickers use.",
    ),
)


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody typed, as they typed it; ``was`` is the verdict that an edit started from."""

    text: str = ""
    title: str = ""
    interests: str = ""
    place: str = ""
    skills: str = ""
    hours: str = ""
    hardware: str = ""
    was: str = ""

    @property
    def has_about(self) -> bool:
        """Tell whether the folded part of the form holds anything."""
        return any((self.title, self.interests, self.place, self.skills, self.hours, self.hardware))

    @classmethod
    def from_fields(cls, data: FormData) -> Form:
        """Take the known fields; a file or an unknown field is passed over."""
        given = {f.name: data.get(f.name) for f in fields(cls)}
        # A browser sends every line end as \r\n; positions should count as in the text that was pasted.
        return cls(**{name: value.replace("\r\n", "\n") for name, value in given.items() if isinstance(value, str)})

    def about(self) -> About | None:
        """Read what the author says of themselves.

        Raises:
            HoursUnreadable: if the hours are no number from 0 to 10,000.
        """
        if not any((self.interests, self.place, self.skills, self.hours, self.hardware)):
            return None
        return About(self.interests, self.place, self.skills, _hours(self.hours), self.hardware)


def _hours(given: str) -> float | None:
    if not given.strip():
        return None
    try:
        hours = float(given.strip().replace(",", "."))
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= 10_000:
        raise HoursUnreadable("Hours should be a number such as 10 or 2.5, or be left empty.")
    return hours


@dataclass(frozen=True, slots=True)
class Fault:
    """What kept a text from being judged; ``field`` is the one to mend, empty where it isn't the author's to mend."""

    problem: Problem
    field: str


@dataclass(frozen=True, slots=True)
class Before:
    """Where an idea stood before its author changed it."""

    verdict: str
    probability: float


def _before(was: str) -> Before | None:
    """Read the hidden field that carries it; whoever bends it only loses the comparison."""
    found = re.fullmatch(r"([a-z_]{1,20}):(0|1|0?\.\d{1,4}|[01]\.\d{1,4})", was)
    if not found or found[1] not in VERDICTS:
        return None
    return Before(found[1], min(1.0, float(found[2])))


# --- pages -----------------------------------------------------------------------------------------------------------


@router.get("/")
async def show_form(example: str = "") -> Response:
    """Show the form, filled with an example if one is asked for."""
    text = next((e.text for e in EXAMPLES if e.key == example), "")
    return _page("form.html", form=Form(text=text), fault=None)


@router.get("/check")
async def back_to_form() -> Response:
    """Lead whoever reloads the report's address back to the form: a report is kept nowhere."""
    return RedirectResponse("/", status_code=303)


@router.post("/check")
async def show_report(request: Request) -> Response:
    """Judge what was typed and show the report; a fault shows the form again with everything still in it."""
    return await _judged(request, _report_page)


@router.post("/check.json")
async def take_json(request: Request) -> Response:
    """Hand the report over as JSON."""
    return await _judged(request, lambda _, r: _download(to_json(r, indent=2), "application/json", "json"))


@router.post("/check.html")
async def take_html(request: Request) -> Response:
    """Hand the report over as one HTML file."""
    return await _judged(
        request, lambda f, r: _download(to_html(r, f.text, f.title), "text/html; charset=utf-8", "html")
    )


@router.post("/check.txt")
async def take_text(request: Request) -> Response:
    """Hand the report over as plain text."""
    return await _judged(request, lambda _, r: _download(to_text(r), "text/plain; charset=utf-8", "txt"))


def error_page(problem: Problem) -> Response:
    """Show a fault that has no form to go back to."""
    return _page("error.html", status=problem.status, headers=problem.headers, problem=problem)


async def _judged(request: Request, answer: Callable[[Form, Report], Response]) -> Response:
    """Judge a form's text and write the answer, both on a worker: long texts take long to write, too."""
    async with request.form() as data:
        form = Form.from_fields(data)
    service: Service = request.state.service
    try:
        about = form.about()
        limits = service.admit(request)
        report, response = await service.run(
            lambda checker: _work(checker.check(form.text, title=form.title, about=about), form, answer)
        )
    except OriginalityError as error:
        problem = problem_of(error)
        fault = Fault(
            problem, "hours" if isinstance(error, HoursUnreadable) else "text" if isinstance(error, BadInput) else ""
        )
        return _page("form.html", status=problem.status, headers=problem.headers, form=form, fault=fault)
    service.note(request, report)
    response.headers.update(limits)
    return response


def _work(report: Report, form: Form, answer: Callable[[Form, Report], Response]) -> tuple[Report, Response]:
    return report, answer(form, report)


def _report_page(form: Form, report: Report) -> Response:
    return _page(
        "report.html",
        report=report,
        form=form,
        before=_before(form.was),
        was=f"{report.verdict}:{report.flag_probability:.4f}",
    )


def _download(text: str, kind: str, suffix: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="originality-report.{suffix}"'}
    return Response(text, media_type=kind, headers=headers)


def _page(name: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any) -> Response:
    template = environment().get_template(name)
    body = template.render(asset=asset, examples=EXAMPLES, max_chars=MAX_CHARS, **values)
    return HTMLResponse(body, status_code=status, headers=headers)


@cache
def asset(name: str) -> str:
    """Give a static file's address with its content's hash, so that a browser may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
