"""The calls for screenings: many projects judged as a job, which goes on while nobody waits for it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from app.client.calls import API, Call, nothing, reader, segment
from app.client.errors import AnswerUnreadable
from app.screenings.bodies import OverrideOut, OverridesOut, PairsOut, ResultsOut, ScreeningOut, ScreeningsOut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.records import VerdictLabel
    from app.screenings.bodies import ProjectIn, WebhookIn

Kind = Literal["csv", "jsonl", "xlsx", "html"]
ENDED = {"done", "cancelled"}
POLL_S = 1.0
"""Between two looks for results that aren't there yet."""
_OURS = f"{API}/screenings"
_DATA = "data:"
_SCREENING = TypeAdapter(ScreeningOut)


def screen(
    items: Iterable[ProjectIn], title: str, webhook: WebhookIn | None, once: str, *, suggest: bool, fetch: bool
) -> Call[ScreeningOut]:
    """Hand projects in.

    Args:
        once: under which name the service takes this on at most once; a name of its own if empty.
    """
    body: dict[str, object] = {"items": [one.model_dump(exclude_defaults=True) for one in items]}
    body |= {name: given for name, given in {"title": title, "suggest": suggest, "fetch": fetch}.items() if given}
    if webhook:
        body["webhook"] = webhook.model_dump()
    return Call("POST", _OURS, reader(ScreeningOut), body=body, extra=_named(once))


def screen_file(
    name: str,
    content: bytes,
    title: str,
    columns: str,
    webhook: WebhookIn | None,
    once: str,
    *,
    suggest: bool,
    fetch: bool,
) -> Call[ScreeningOut]:
    """Hand a file of projects in."""
    form = {"title": title, "columns": columns, "suggest": "true" if suggest else "", "fetch": "true" if fetch else ""}
    if webhook:
        form |= {"webhook_url": webhook.url, "webhook_secret": webhook.secret}
    return Call(
        "POST",
        f"{_OURS}:upload",
        reader(ScreeningOut),
        file=(name, content),
        form={key: given for key, given in form.items() if given},
        extra=_named(once),
    )


def _named(once: str) -> dict[str, str]:
    """Give a call a name, so that what was taken on although no answer came isn't taken on again."""
    return {"Idempotency-Key": once or str(uuid.uuid4())}


def screenings() -> Call[list[ScreeningOut]]:
    """List the key's screenings."""
    read = reader(ScreeningsOut)
    return Call("GET", _OURS, lambda body: read(body).screenings)


def screening(name: str) -> Call[ScreeningOut]:
    """Ask how far one is."""
    return Call("GET", f"{_OURS}/{segment(name)}", reader(ScreeningOut))


def events(name: str) -> Call[None]:
    """Have told how far one is; the answer is read line by line with ``told``."""
    return Call("GET", f"{_OURS}/{segment(name)}/events", nothing, extra={"Accept": "text/event-stream"})


def told(line: str) -> ScreeningOut | None:
    """Read a line of the events; None if there is no screening in it.

    Raises:
        AnswerUnreadable: if it isn't what the API documents.
    """
    if not line.startswith(_DATA):
        return None
    try:
        return _SCREENING.validate_python(json.loads(line.removeprefix(_DATA)), extra="ignore")
    except (ValueError, RecursionError):
        raise AnswerUnreadable(
            "The service told of a screening in a way that this client can't read. See that both are of like versions."
        ) from None


def mute() -> AnswerUnreadable:
    """Say that nothing was told, again and again."""
    return AnswerUnreadable(
        "The service ends its account of the screening each time without telling anything. See that nothing between "
        "here and there cuts off what is sent bit by bit (text/event-stream)."
    )


def results(name: str, after: int, limit: int, *, reveal: bool) -> Call[ResultsOut]:
    """Ask for a page of results."""
    params: dict[str, str | int] = {"after": after, "limit": limit, "reveal": str(reveal).lower()}
    return Call("GET", f"{_OURS}/{segment(name)}/results", reader(ResultsOut), params)


def export(name: str, kind: Kind, *, reveal: bool) -> Call[bytes]:
    """Ask for all results as a file."""
    return Call("GET", f"{_OURS}/{segment(name)}/export.{kind}", bytes, {"reveal": str(reveal).lower()})


def move(name: str, how: Literal["pause", "resume", "cancel"]) -> Call[ScreeningOut]:
    """Pause, resume or cancel one."""
    return Call("PUT", f"{_OURS}/{segment(name)}/{how}", reader(ScreeningOut))


def override(name: str, number: int, verdict: VerdictLabel, reason: str) -> Call[None]:
    """Put a person's verdict beside a judged one; again, it stands in the log twice."""
    body = {"verdict": verdict, "reason": reason}
    path = f"{_OURS}/{segment(name)}/results/{number}/override"
    return Call("PUT", path, nothing, body=body, repeatable=False)


def overrides(name: str) -> Call[list[OverrideOut]]:
    """Ask for the log of overrides."""
    read = reader(OverridesOut)
    return Call("GET", f"{_OURS}/{segment(name)}/overrides", lambda body: read(body).overrides)


def pairs(name: str, *, reveal: bool) -> Call[PairsOut]:
    """Ask for near-identical projects and shared hand-outs."""
    return Call("GET", f"{_OURS}/{segment(name)}/pairs", reader(PairsOut), params={"reveal": str(reveal).lower()})


def delete(name: str) -> Call[None]:
    """Delete one with all that belongs to it."""
    return Call("DELETE", f"{_OURS}/{segment(name)}", nothing, repeatable=False)
