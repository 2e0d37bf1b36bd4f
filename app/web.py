"""Serves the page to people: the form, the report and its downloads, all of it without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app import comparison, corrections, material, page
from app.checker import Submission
from app.errors import BadInput, FileUnreadable, OriginalityError
from app.forms import Form, HoursUnreadable, UploadTooLarge, fields_of, file_of
from app.render import to_html, to_json, to_markdown, to_text
from app.report import Notice, Report
from app.serving import Problem, Service, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.atlas import Chart, Grid
    from app.checker import Checker

router = APIRouter(include_in_schema=False)


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


MadeT = TypeVar("MadeT", bound="OnlyReport")


@dataclass(frozen=True, slots=True)
class Fault:
    """What kept a text from being judged; ``field`` is the one to mend, empty where it isn't the author's to mend."""

    problem: Problem
    field: str
    told: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class OnlyReport:
    """What a report's file shows."""

    report: Report


@dataclass(frozen=True, slots=True)
class Judged(OnlyReport):
    """All that a report's page shows."""

    comparison: comparison.Comparison | None
    chart: Chart
    grid: Grid
    names: dict[str, str]


# --- pages -----------------------------------------------------------------------------------------------------------


@router.get("/")
async def show_form(request: Request, example: str = "") -> Response:
    """Show the form, filled with an example if one is asked for."""
    text = next((e.text for e in EXAMPLES if e.key == example), "")
    return _form_page(request, Form(text=text))


@router.get("/check")
@router.get("/edit")
async def back_to_form() -> Response:
    """Lead whoever reloads the report's address back to the form: a report is kept nowhere."""
    return RedirectResponse("/", status_code=303)


@router.post("/edit")
async def take_up(request: Request) -> Response:
    """Put a text into the form to be changed before it is judged; the one before it travels along."""
    service: Service = request.state.service
    return _form_page(request, Form.from_fields(await fields_of(request, service.settings.max_body_bytes)), taken=True)


@router.post("/check")
async def show_report(request: Request) -> Response:
    """Judge what was typed and show the report; a fault shows the form again with everything still in it."""

    def write(form: Form, judged: Judged) -> Response:
        return page.show(
            request, "report.html", form=form, judged=judged, report=judged.report, statements=corrections.STATEMENTS
        )

    return await _answered(request, _judge, write)


@router.post("/check.json")
async def take_json(request: Request) -> Response:
    """Hand the report over as JSON."""
    return await _taken(request, "json", "application/json", lambda _, r: to_json(r, indent=2))


@router.post("/check.html")
async def take_html(request: Request) -> Response:
    """Hand the report over as one HTML file, in the language of the page."""
    spoken = page.language_of(request)
    return await _taken(request, "html", "text/html; charset=utf-8", lambda f, r: to_html(r, f.judged, f.title, spoken))


@router.post("/check.txt")
async def take_text(request: Request) -> Response:
    """Hand the report over as plain text."""
    return await _taken(request, "txt", "text/plain; charset=utf-8", lambda _, r: to_text(r))


@router.post("/check.md")
async def take_markdown(request: Request) -> Response:
    """Hand the report over as Markdown."""
    return await _taken(request, "md", "text/markdown; charset=utf-8", lambda _, r: to_markdown(r))


@router.get("/about")
async def show_about(request: Request) -> Response:
    """Say how it judges, what runs here, and what is kept of anybody: nothing."""
    service: Service = request.state.service
    try:
        facts = service.ready_checker().info()
    except OriginalityError:
        facts = {}
    return page.show(request, "about.html", facts=facts)


def _judge(checker: Checker, form: Form) -> Judged:
    report = _only_report(checker, form).report
    chart, grid = checker.surroundings(form.judged, report)
    entries = checker.catalogue.entries
    shown = [*(point.entry for point in chart.points), *grid.datasets, *grid.techniques]
    names = {entry: entries[entry].name for entry in shown if entry in entries}
    return Judged(report, _compared(checker, form, report), chart, grid, names)


def _only_report(checker: Checker, form: Form) -> OnlyReport:
    report = corrections.marked(checker.check(form.judged, title=form.title, about=form.about()), form.word)
    read = [Notice(code=notice.code, message=notice.message) for notice in form.read]
    return OnlyReport(report.model_copy(update={"warnings": [*report.warnings, *read]}) if read else report)


def _compared(checker: Checker, form: Form, after: Report) -> comparison.Comparison | None:
    """Judge the text that an edit started from, and set both side by side; none where there is nothing to compare."""
    if not form.before:
        return None
    (before,) = checker.check_many([Submission(form.before, title=form.title)], advise=False)
    return comparison.compare(before, after, form.previous, form.text) if isinstance(before, Report) else None


async def _taken(request: Request, suffix: str, kind: str, write: Callable[[Form, Report], str]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="originality-report.{suffix}"'}

    def file(form: Form, made: OnlyReport) -> Response:
        return Response(write(form, made.report), media_type=kind, headers=headers)

    return await _answered(request, _only_report, file)


async def _answered(
    request: Request, judge: Callable[[Checker, Form], MadeT], write: Callable[[Form, MadeT], Response]
) -> Response:
    """Judge a form's text and write the answer, both on a worker: long texts take long to write, too.

    No worker is held while a language model words the suggestions, where one was chosen.
    """
    service: Service = request.state.service
    form = Form()
    try:
        form, file = await _received(request)
        form.about()
        limits = service.admit(request, 2 if form.before else 1)
        form = judged = await _filled(service, form, file)
        if service.sent_to and not form.plain:
            made = await service.run(lambda checker: judge(checker, judged), request)
            made = replace(made, report=await service.rephrased(made.report, judged.judged))
            response = await service.run(lambda _: write(judged, made))
        else:
            made, response = await service.run(
                lambda checker: _both(judge(checker, judged), partial(write, judged)), request
            )
    except OriginalityError as error:
        return _form_page(request, form, error)
    service.note(request, made.report)
    response.headers.update(limits)
    return response


def _both(made: MadeT, write: Callable[[MadeT], Response]) -> tuple[MadeT, Response]:
    return made, write(made)


async def _received(request: Request) -> tuple[Form, tuple[str, bytes] | None]:
    service: Service = request.state.service
    data = await fields_of(request, service.settings.max_body_bytes)
    try:
        return Form.from_fields(data), await file_of(data)
    finally:
        await data.close()


async def _filled(service: Service, form: Form, file: tuple[str, bytes] | None) -> Form:
    """Put in place of the typed text what a file holds that was chosen, or what stands behind a link without words."""
    if file is not None:
        found = await service.read(lambda: material.of_file(*file))
    elif link := material.link_in(form.text):
        found = await service.read(lambda: material.of_link(link, service.settings.fetching))
    else:
        return form
    return replace(form, text=found.text, title=form.title or found.title, read=found.notices)


def _form_page(request: Request, form: Form, error: OriginalityError | None = None, *, taken: bool = False) -> Response:
    if error is None:
        return page.show(request, "form.html", form=form, fault=None, examples=EXAMPLES, taken=taken)
    problem = problem_of(error)
    fault = Fault(problem, _field(error), page.told(problem))
    return page.show(
        request,
        "form.html",
        status=problem.status,
        headers=problem.headers,
        form=form,
        fault=fault,
        examples=EXAMPLES,
        taken=False,
    )


def _field(error: OriginalityError) -> str:
    if isinstance(error, HoursUnreadable):
        return "hours"
    if isinstance(error, FileUnreadable | UploadTooLarge):
        return "file"
    return "text" if isinstance(error, BadInput) else ""
