"""What is left of a text: the service runs as a process in its default settings; what it wrote is looked through."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.materials import notebook, told_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings
    from tests.conftest import Attempts

pytestmark = pytest.mark.model

ROOT = Path(__file__).parent.parent
SHARED = (Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108  they are looked through
"""Folders of the machine in which a process leaves things without being told to."""
IDEA = "Predict who survives the Titanic with logistic regression; my {} counted them."


class Running:
    """A service of its own: its home, its temporary folder, its data and what it prints are all in one folder."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Lay the folders out; the index and the model's graphs are lent to it."""
        self.folder, self.mark = folder, f"zq{secrets.token_hex(8)}"
        self.began = time.time() - 1
        for name in ("home", "tmp", "data", "cwd"):
            (folder / name).mkdir()
        (folder / "data" / "catalogue").symlink_to(settings.index_dir.resolve())
        if settings.runtimes_dir.is_dir():
            (folder / "data" / "runtimes").symlink_to(settings.runtimes_dir.resolve())
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORIGINALITY_", "XDG_"))}
        own = {
            "HOME": folder / "home",
            "TMPDIR": folder / "tmp",
            "ORIGINALITY_INDEX_DIR": folder / "data" / "catalogue",
        }
        self.environment = kept | {name: str(path) for name, path in own.items()} | {"PYTHONPATH": str(ROOT)}

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as the service's neighbour; what it answers is the caller's, and not looked through."""
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            input=given,
            env=self.environment,
            cwd=self.folder / "cwd",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def left(self) -> list[str]:
        """List the files in which the mark stands: the service's own, and whatever else changed since it began."""
        every = {file for file in self.folder.rglob("*") if file.is_file()}
        for shared in SHARED:
            every |= set(_changed(shared, self.began))
        mark = self.mark.encode()
        return sorted(str(file) for file in every if _holds(file, mark))


def _changed(folder: Path, since: float) -> Iterator[Path]:
    """Give what was made or changed in a folder of everybody's since then, with all that lies within."""
    for entry in folder.glob("*"):
        try:
            if entry.name.startswith("pytest-") or entry.lstat().st_mtime < since:
                continue
        except OSError:
            continue  # another process's, and gone by now
        yield from (file for file in (entry.rglob("*") if entry.is_dir() else [entry]) if file.is_file())


def _holds(file: Path, mark: bytes) -> bool:
    try:
        content = file.read_bytes()
    except OSError:
        return False
    return any(form in content for form in (mark, mark.upper(), mark.decode().encode("utf-16-le")))


def _open_files(pid: int, mark: str) -> list[str]:
    """List open files of a process in which the mark stands, nameless ones too; Linux alone shows them."""
    links = Path(f"/proc/{pid}/fd").glob("*")
    return [str(link.readlink()) for link in links if link.is_file() and _holds(link, mark.encode())]


@pytest.fixture(scope="module")
def running(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, httpx.Client, int]]:
    """Start the service as its users do, with no setting but where its index is."""
    own = Running(tmp_path_factory.mktemp("private"), settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (own.folder / "printed.log").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", str(port)],
            env=own.environment,
            cwd=own.folder / "cwd",
            stdout=printed,
            stderr=printed,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                _wait(client)
                yield own, client, process.pid
        finally:
            process.terminate()
            process.wait(60)


def _wait(client: httpx.Client) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("the service didn't start")


def _asked(mark: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Give every way on which a text comes in: what is judged, what is searched for, and what is refused."""
    text = IDEA.format(mark)
    typed = {"text": text, "title": mark, "interests": mark, "place": mark, "previous": text + " x"}
    json_kind = {"Content-Type": "application/json"}
    ways: dict[str, tuple[str, str, dict[str, Any]]] = {
        "the form": ("POST", "/check", {"data": typed}),
        "an edit": ("POST", "/edit", {"data": typed}),
        "a fault of the form": ("POST", "/check", {"data": typed | {"hours": mark}}),
        "a form in parts": ("POST", "/check", {"files": {name: (None, value) for name, value in typed.items()}}),
        "a link alone": ("POST", "/check", {"data": {"text": f"http://127.0.0.1/{mark}"}}),
        "a check": ("POST", "/api/v1/checks", {"json": {"text": text, "id": mark, "title": mark}}),
        "a batch": ("POST", "/api/v1/checks:batch", {"json": {"items": [{"text": text}, {"text": "", "id": mark}]}}),
        "a search": ("GET", f"/api/v1/search?q={mark}", {}),
        "a posted search": ("POST", "/api/v1/search", {"json": {"q": text}}),
        "the catalogue": ("GET", f"/catalogue?q={mark}", {}),
        "no JSON": ("POST", "/api/v1/checks", {"content": f"{{{text}", "headers": json_kind}),
        "a wrong shape": ("POST", "/api/v1/checks", {"json": {"text": [text], mark: text}}),
        "a wrong kind": ("POST", "/api/v1/checks", {"content": text}),
        "too much": ("POST", "/api/v1/checks", {"json": {"text": text * 30_000}}),
        "an address that isn't there": ("GET", f"/{mark}?{mark}={mark}", {}),
        "a note without consent": (
            "POST",
            "/feedback",
            {"data": {"wished": "original", "comment": mark, "text": text}},
        ),
        "a note over REST without consent": ("POST", "/api/v1/feedback", {"json": {"kind": "proposal", "name": mark}}),
        "headers": ("GET", "/", {"headers": {"User-Agent": mark, "Referer": f"http://x/{mark}", "X-Request-ID": mark}}),
        "a method": (mark.upper(), "/check", {}),
    }
    for suffix in ("html", "json", "txt", "md"):
        ways[f"a download as {suffix}"] = ("POST", f"/check.{suffix}", {"data": typed})
    files = {"a.md": text.encode(), "a.ipynb": notebook(text), "a.pdf": told_pdf(text), "b.pdf": mark.encode()}
    files |= {f"{mark}.docx": b"PK" + mark.encode(), "large.md": (text + "\n").encode() * 30_000}
    for name, content in files.items():
        ways[f"a file {name.replace(mark, 'x')}"] = ("POST", "/check", {"files": {"file": (name, content)}})
    return ways


def test_nothing_of_a_text_is_left(running: tuple[Running, httpx.Client, int], attempts: Attempts) -> None:
    """In its default settings: after the answers no file, log, metric or open descriptor has a word of it."""
    own, client, pid = running
    answered = {}
    for way, (method, path, sent) in _asked(own.mark).items():
        answered[way] = client.request(method, path, **sent).status_code
        attempts.note(f"{way}: {answered[way]}", held=answered[way] < 500)
    assert [answered[way] for way in ("the form", "a check", "a file a.pdf", "a search")] == [200] * 4
    text = IDEA.format(own.mark)
    checked = own.run("check", "-", "--format", "json", given=text)
    assert own.mark in checked.stdout
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": own.mark, "version": "1"}}
    calls = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "check", "arguments": {"text": text}}},
    ]
    spoken = own.run("mcp", given="".join(json.dumps(call) + "\n" for call in calls))
    for way, done in {"a check on the command line": checked, "an assistant": spoken}.items():
        attempts.note(f"what {way} logs", held=own.mark not in done.stderr)
    for path in ("/metrics", "/info", "/health"):
        attempts.note(path, held=own.mark not in client.get(path).text.lower())
    left, held_open = own.left(), _open_files(pid, own.mark)
    attempts.note(f"files {left}", held=left == [])
    attempts.note(f"open files {held_open}", held=held_open == [])
    assert (own.folder / "printed.log").read_text().count('"event": "request"') >= len(answered)
    assert not list((own.folder / "data").glob("*.db"))


def test_an_upload_is_in_no_file_on_its_way(running: tuple[Running, httpx.Client, int], attempts: Attempts) -> None:
    """While a large file still comes in, no open file holds a word of it: not the nameless ones of the framework."""
    own, client, pid = running
    line = IDEA.format(own.mark).encode() + b"\n"
    seen: list[str] = []

    def sent() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.exe"\r\n\r\n'
        for _ in range(30):
            yield line * (100_000 // len(line))
        for _ in range(10):  # the service reads it meanwhile
            time.sleep(0.1)
            seen.extend(_open_files(pid, own.mark))
        yield b"\r\n--x--\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/v1/screenings:upload", content=sent(), headers=kind)
    assert answer.json()["failed"] == 1, answer.text  # of an unknown kind, so that nothing of it is stored
    attempts.note(f"open files while 3 MB come in: {seen}", held=seen == [])


def test_what_was_kept_is_gone_when_it_is_deleted(
    running: tuple[Running, httpx.Client, int], attempts: Attempts
) -> None:
    """A note and a screening are found where they are kept, and nowhere once they are deleted: not in SQLite's log."""
    own, client, pid = running
    own.mark = f"zq{secrets.token_hex(8)}"
    text = IDEA.format(own.mark)
    note = {"kind": "disagreement", "verdict": "original", "wished": "unclear", "consent": True, "text": text}
    token = client.post("/api/v1/feedback", json=note).json()["token"]
    items = [{"id": f"{own.mark}{n}", "candidate": own.mark, "title": own.mark, "text": text} for n in range(20)]
    made = client.post("/api/v1/screenings", json={"items": items, "title": own.mark}).json()["id"]
    large = (text + "\n").encode() * 20_000
    sent = client.post("/api/v1/screenings:upload", files={"file": (f"{own.mark}.md", large)}).json()["id"]
    place = "/api/v1/screenings"
    deadline = time.monotonic() + 120
    while {client.get(f"{place}/{name}").json()["state"] for name in (made, sent)} != {"done"}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    over = {"verdict": "original", "reason": own.mark}
    assert client.put(f"{place}/{made}/results/1/override", json=over).status_code == 204
    kept = own.left()
    assert any("screenings.db" in file for file in kept)
    assert any("feedback" in file for file in kept)
    for name in (made, sent):
        assert client.delete(f"{place}/{name}").status_code == 204
    assert client.delete(f"/api/v1/feedback/{token}").status_code == 204
    left, held_open = own.left(), _open_files(pid, own.mark)
    attempts.note(f"files {left}", held=left == [])
    attempts.note(f"open files {held_open}", held=held_open == [])
    attempts.note("the database is there", held=(own.folder / "data" / "screenings.db").is_file())
