"""Makes an answer out of a template: the language it is read in, its static files, what may be kept of it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse

from app import words
from app.intake import MAX_CHARS
from app.render import environment
from app.rephrase import SENT_CHARS
from app.tongues import LANGUAGES, choose

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.responses import Response

    from app.serving import Problem

STATIC = Path(__file__).resolve().parent / "static"
COOKIE = "language"
A_YEAR_S = 365 * 24 * 3600


def language_of(request: Request) -> str:
    """Choose the language of an answer: asked for in the address, kept in the browser, or accepted by it."""
    asked, kept = request.query_params.get("lang", ""), request.cookies.get(COOKIE, "")
    return choose(asked, kept, request.headers.get("accept-language", ""))


def show(
    request: Request, name: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> Response:
    """Fill a template in the reader's language; whoever asks for a language in the address keeps it in the browser."""
    language = language_of(request)
    settings = request.state.service.settings
    body = environment(language).get_template(name).render(
        asset=asset,
        max_chars=MAX_CHARS,
        sent_to=_sent_to(request),
        sent_chars=SENT_CHARS,
        follows_links=settings.fetching is not None,
        max_file_bytes=settings.max_file_bytes,
        tongues=None if request.method == "POST" else _addresses(request),
        **values,
    )  # fmt: skip
    response = HTMLResponse(body, status_code=status, headers=headers)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language, Cookie"
    if request.query_params.get("lang") in LANGUAGES and request.cookies.get(COOKIE) != language:
        response.set_cookie(COOKIE, language, max_age=A_YEAR_S, httponly=True, samesite="lax")
    return response


def error(request: Request, problem: Problem) -> Response:
    """Show a fault that has no form to go back to."""
    return show(
        request, "error.html", status=problem.status, headers=problem.headers, problem=problem, told=told(problem)
    )


def told(problem: Problem) -> tuple[str, str] | None:
    """Give a fault's title and mend in words that every language has; none where only the service has words for it."""
    return words.FAULTS.get(problem.name)


def _sent_to(request: Request) -> str:
    """Give the host to which texts go to have suggestions worded anew; empty where they go nowhere."""
    service = getattr(request.state, "service", None)
    return service.sent_to if service else ""


def _addresses(request: Request) -> dict[str, str]:
    """Give this page's address in every language."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return {code: f"?{urlencode([*kept, ('lang', code)])}" for code in LANGUAGES}


@cache
def asset(name: str) -> str:
    """Give a static file's address with its content's hash, so that a browser may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
