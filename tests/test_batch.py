"""Screening many from the command line: every input accounted for, whatever its form, and how it ends."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import app
from app import cli, console, progress
from tests.local_service import Reply, running
from tests.test_cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.checker import Checker

ROOT = Path(app.__file__).parent.parent
TITANIC = "titanic survival w/ logistic regression"
BEES = "We weighed twelve hives of our own every hour for a year, and forecast swarming with a model of our own."


def test_the_bar_shows_count_rate_and_words() -> None:
    """What was done before is shown as done; more than was foreseen lets the bar grow."""
    drawn = io.StringIO()
    with progress.bar(4, 1, drawn) as move:
        move(2, "1 flagged, 0 errors")
        move(6, "1 flagged, 3 errors")
    assert "6/6" in drawn.getvalue()
    assert "1 flagged, 3 errors" in drawn.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["screen"], "Give files or folders to screen, or a list of links"),
        (["screen", "x.csv", "--columns", "words=a"], "Columns are given as text=NAME"),
        (["screen", "--links", "no-such.txt"], "There is no no-such.txt"),
        (["screen", "README.md", "--output", "README.md", "--resume"], "--output holds other lines"),
    ],
)
def test_bad_options_end_with_two(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Before the model is loaded, and before anything is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("bees\n")
    assert run(*arguments) == cli.EXIT_BAD_INPUT
    assert words in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text() == "bees\n"


@pytest.fixture
def opened(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run have the checker that is open already: opening it is another test's."""
    monkeypatch.setattr(console, "open_checker", lambda: checker)


@pytest.fixture
def mixed(tmp_path: Path) -> list[str]:
    """Write inputs of several kinds, good and bad: five projects and five errors."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.writestr("ana/bees/README.md", BEES)
        packed.writestr("bo/titanic/README.md", TITANIC)
        packed.writestr("../x.md", "no")
    (tmp_path / "t.csv").write_text(f'Nr;Wer;Was\n1;Cy;"{TITANIC}"\n2;Di;"open\n3;Ed;"{BEES}"\n', encoding="utf-16")
    (tmp_path / "cv.pdf").write_bytes(b"no pdf")
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": BEES}]}))
    (tmp_path / "l.txt").write_text("https://x.invalid/a\n")
    (tmp_path / "empty.md").write_text(" ")
    return [str(tmp_path / name) for name in ("z.zip", "t.csv", "cv.pdf", "n.ipynb", "l.txt", "empty.md")]


@pytest.mark.model
@pytest.mark.usefixtures("opened")
def test_every_input_is_accounted_for(mixed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, reports and errors, in order; errors also in their file, with the line of the input."""
    out, errors = tmp_path / "out.jsonl", tmp_path / "errors.jsonl"
    told = ("--columns", "text=Was,candidate=Wer", "--output", str(out), "--errors", str(errors), "--no-suggest")
    assert run("screen", *mixed, *told) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["id"], row.get("candidate"), row.get("verdict", "error")) for row in rows] == [
        ("../x.md", None, "error"),
        ("ana/bees/README.md", "ana", rows[1]["verdict"]),
        ("bo/titanic/README.md", "bo", "well_worn"),
        ("1", "Cy", "well_worn"),
        ("3", None, "error"),
        ("3", "Ed", rows[5]["verdict"]),
        ("cv.pdf", None, "error"),
        ("n.ipynb", None, rows[7]["verdict"]),
        ("https://x.invalid/a", None, "error"),
        ("empty.md", None, "error"),
    ]
    assert "--fetch" in rows[8]["error"]
    copied = [json.loads(line) for line in errors.read_text().splitlines()]
    assert [(row["id"], row["line"]) for row in copied] == [
        ("../x.md", None),
        ("3", 3),
        ("cv.pdf", None),
        ("https://x.invalid/a", 1),
        ("empty.md", None),
    ]
    assert [row["error"] for row in copied] == [row["error"] for row in rows if "error" in row]
    assert "id from 'Nr'" in (said := capsys.readouterr().err)
    assert "5 judged, 2 of them flagged; 5 could not be judged." in said


@pytest.mark.model
@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_stopped_run_goes_on_with_its_errors(mixed: list[str], tmp_path: Path, form: str) -> None:
    """Stopped anywhere, output and errors end up the same bytes as without a stop; the count is of all runs."""
    whole, part, errors = tmp_path / "whole", tmp_path / "part", tmp_path / "errors"
    told = (*mixed, "--no-suggest", "--format", form)
    assert run("screen", *told, "--output", str(whole), "--errors", str(errors)) == 0
    data, faults = whole.read_bytes(), errors.read_bytes()
    for cut in (0, data.find(b"\n") + 1, len(data) // 3, len(data) - 3, len(data)):
        part.write_bytes(data[:cut])
        errors.write_bytes(faults[: len(faults) // 2] if cut < len(data) // 2 else faults)
        ended = run("screen", *told, "--output", str(part), "--errors", str(errors), "--resume", "--fail-on-error")
        assert ended == cli.EXIT_ERRORS
        assert part.read_bytes() == data
        assert errors.read_bytes().count(b"\n") == faults.count(b"\n") or cut < len(data) // 2


@pytest.mark.model
@pytest.mark.usefixtures("opened")
def test_exit_codes_tell_a_script_what_happened(tmp_path: Path) -> None:
    """Flagged, some in error, none judged: each has its own, where it's asked for."""
    (tmp_path / "a.csv").write_text(f'id,text\n1,{TITANIC}\n2,"x\n')
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    good, bad = str(tmp_path / "a.csv"), str(tmp_path / "b.csv")
    assert run("screen", good, "--no-suggest") == 0
    assert run("screen", good, "--no-suggest", "--fail-on-flag") == cli.EXIT_FLAGGED
    assert run("screen", good, "--no-suggest", "--fail-on-flag", "--fail-on-error") == cli.EXIT_ERRORS
    assert run("screen", bad, "--no-suggest") == cli.EXIT_BAD_INPUT


@pytest.mark.model
@pytest.mark.usefixtures("opened")
def test_links_are_followed_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of links is fetched; what was found out about them stands in the warnings."""
    page = f"<html><title>Bees</title><body>{BEES}</body></html>".encode()
    pages = {
        "/p": Reply(page, headers={"Content-Type": "text/html"}),
        "/api/repos/ana/t": Reply(
            b'{"full_name": "ana/t", "default_branch": "main", "description": "%s"}' % TITANIC.encode()
        ),
        "/api/repos/ana/t/git/trees/main": Reply(b'{"tree": [{"path": "a.py", "type": "blob"}]}'),
    }
    with running(lambda path, _: pages.get(path, Reply(status=404))) as service:
        host = service.url.removeprefix("http://")
        other = host.replace("127.0.0.1", "localhost")  # whatever is at the API's own address is taken for GitHub's
        monkeypatch.setenv("ORIGINALITY_FETCH_ALLOWED_HOSTS", f"{host},{other}")
        monkeypatch.setenv("ORIGINALITY_GITHUB_URL", f"http://{other}/api")
        monkeypatch.setenv("ORIGINALITY_FETCH_CACHE_DIR", str(tmp_path / "cache"))
        (tmp_path / "l.txt").write_text(f"{service.url}/p\nhttps://github.com/ana/t\n{service.url}/no\n")
        out = tmp_path / "out.jsonl"
        assert run("screen", "--links", str(tmp_path / "l.txt"), "--output", str(out), "--no-suggest") == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows[0]["verdict"] != "well_worn"
    assert (rows[1]["verdict"], rows[1]["candidate"]) == ("well_worn", "ana")
    assert [w["code"] for w in rows[1]["warnings"]][-2:] == ["repository", "readme-missing"]
    assert "isn't there (404)" in rows[2]["error"]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Open a terminal of our own, where Ctrl-C is heard: tests run in the background don't hear it, nor do children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    signal.signal(signal.SIGINT, before)


@pytest.mark.model
def test_a_terminal_shows_progress_and_ctrl_c_says_how_to_go_on(terminal: tuple[int, int], tmp_path: Path) -> None:
    """A bar on standard error alone; stopped, it ends with 130, and what is written are whole lines."""
    path, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    path.write_text("".join(json.dumps({"id": n, "text": f"{TITANIC} {n}"}) + "\n" for n in range(5_000)))
    command = [sys.executable, "-m", "app", "screen", str(path), "--no-suggest", "--output", str(out)]
    ours, theirs = terminal
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
    ) as running_one:
        os.close(theirs)
        seen, pressed, until = b"", 0.0, time.monotonic() + 120
        with contextlib.suppress(OSError):  # the other end is closed
            while time.monotonic() < until:
                if select.select([ours], [], [], 0.1)[0]:  # read all along: a full terminal holds the program up
                    seen += os.read(ours, 65_536)
                begun = out.exists() and out.stat().st_size > 20_000
                if begun and time.monotonic() > pressed + 10:  # as a person does: a press can fall where none is heard
                    running_one.send_signal(signal.SIGINT)
                    pressed = time.monotonic()
        assert running_one.wait(60) == cli.EXIT_STOPPED
        assert running_one.stdout is not None
        assert running_one.stdout.read() == b""
    words = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen).decode("utf-8", "replace")
    assert re.search(r"\d+/5000", words)
    assert re.search(r"[\d.,]+/(s|min)", words)
    assert "Stopped. The same command with --resume goes on." in words
    assert all(json.loads(line)["verdict"] for line in out.read_text().splitlines())


@pytest.mark.model
@pytest.mark.usefixtures("opened")
def test_a_spreadsheet_gets_no_formula(tmp_path: Path) -> None:
    """An id that a spreadsheet would run is a text in the table, in a report and in an error."""
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "=1+1", "text": BEES}) + '\n{"id": "@x"}\n')
    out = tmp_path / "out.csv"
    assert run("screen", str(tmp_path / "a.jsonl"), "--no-suggest", "--format", "csv", "--output", str(out)) == 0
    assert [row["id"] for row in csv.DictReader(out.read_text().splitlines())] == ["'=1+1", "'@x"]
