"""Sets logging up, once, for a process that serves: one JSON object a line, on standard error, never a user's words.

Every room logs through ``logging`` with arguments and ``extra``; only this one knows what a line looks like.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TYPE_CHECKING

import structlog
from asgi_correlation_id import correlation_id

if TYPE_CHECKING:
    from types import TracebackType

    from structlog.typing import EventDict, Processor

# These speak of what passes through them: paths with their queries, form fields byte by byte.
_TALKATIVE = ("asyncio", "httpcore", "httpx", "multipart", "python_multipart")
_FRAMES = 8


def configure(level: str = "INFO", form: str = "json") -> None:
    """Send this project's lines at ``level`` and above to standard error, and of others' only warnings.

    Args:
        form: ``json``, or ``text`` for a person at a terminal, with the same in it.

    Uvicorn's own access lines are switched off, for they hold query strings; ``app.serving`` writes one in their place.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request_id,
        _without_words,
    ]
    write = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, write],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(level)
    logging.getLogger("uvicorn.error").setLevel("INFO")
    logging.getLogger("uvicorn.access").disabled = True
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        # Uvicorn brings handlers of its own, which would write each line a second time and in another form.
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def _with_request_id(_logger: object, _method: str, event: EventDict) -> EventDict:
    if (current := correlation_id.get()) is not None:
        event.setdefault("request_id", current)
    return event


def _without_words(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Put an exception's kind and places in its message's stead: a ``KeyError`` would quote the text it choked on."""
    record: logging.LogRecord = event["_record"]
    if record.exc_info and record.exc_info[1] is not None:
        event["error"] = type(record.exc_info[1]).__name__
        event["at"] = _places(record.exc_info[2])
    # The formatter would print the whole of it below the line otherwise.
    record.exc_info, record.exc_text, record.stack_info = None, None, None
    for name in ("exc_info", "stack_info", "color_message"):
        event.pop(name, None)
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
