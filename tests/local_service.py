"""A server on this machine that says what a test lets it say, with the faults that servers have."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(frozen=True)
class Reply:
    """What the server answers; a body of several parts is sent part by part, and ended by closing the connection."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def as_json(content: Any, **headers: str) -> Reply:
    """Answer with JSON."""
    return Reply(json.dumps(content).encode(), headers={name.replace("_", "-"): v for name, v in headers.items()})


@dataclass
class Service:
    """A running server: its address, what was asked for, in order: paths with queries, headers, and JSON."""

    url: str
    asked: list[str]
    agents: list[str]
    sent: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    posted: list[Any] = field(default_factory=list)


@contextmanager
def running(respond: Callable[[str, dict[str, str]], Reply]) -> Iterator[Service]:
    """Serve on a free port of this machine; ``respond`` gets the path and the query, also of a POST.

    A reply whose ``ETag`` the client knows is shortened to a 304, as servers do.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append(self.path)
            service.agents.append(self.headers["User-Agent"])
            service.headers.append({name.lower(): value for name, value in self.headers.items()})
            asked = urlsplit(self.path)
            reply = respond(asked.path, dict(parse_qsl(asked.query)))
            if "ETag" in reply.headers and reply.headers["ETag"] == self.headers["If-None-Match"]:
                reply = Reply(status=304)
            self.send_response(reply.status)
            parts = [reply.body] if isinstance(reply.body, bytes) else reply.body
            lengths = {"Content-Length": str(len(reply.body))} if isinstance(reply.body, bytes) else {}
            for name, value in {**lengths, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            for part in parts:
                self.wfile.write(part)
                service.sent += len(part)

        def do_POST(self) -> None:
            service.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """Let clients hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        service = Service(f"http://127.0.0.1:{server.server_address[1]}", [], [])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
