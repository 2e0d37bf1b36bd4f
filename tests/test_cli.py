"""The command line: exit codes, one sentence for every fault, order kept, and a quick start."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app import __version__, cli, console
from app.errors import IndexMissing

if TYPE_CHECKING:
    from app.checker import Checker

ROOT = Path(__file__).parent.parent
TITANIC = "titanic survival w/ logistic regression"
OWN = "We rode the night bus with a sound meter for five weeks, asked 80 riders what woke them; drivers brake late."
MARK = "quizzaciously"


def run(*arguments: str) -> int:
    """Run the command line in this process and give its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    return int(ended.value.code or 0)


def sentence(captured: Any) -> str:
    """Give the one line that a fault may print; nothing else may be there."""
    assert captured.out == ""
    lines: list[str] = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("originality: ")
    assert "Traceback" not in captured.err
    return lines[0]


@pytest.fixture
def served(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands use the checker that is open already; opening it is tested from the outside."""
    monkeypatch.setattr(console, "open_checker", lambda: checker)


def submissions(folder: Path, *texts: str | None) -> Path:
    """Write a file of submissions; None is a broken line."""
    lines = ["{" if t is None else json.dumps({"id": f"n{n}", "text": t}) for n, t in enumerate(texts)]
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "in.jsonl"


# --- without the model -----------------------------------------------------------------------------------------------


def test_progress_bars_are_off_from_the_start() -> None:
    """They are switched off before any command, and so before any library that draws them, is begun."""
    code = (
        "import os\nfrom app import cli\n"
        "try: cli.main(['version'])\nexcept SystemExit: print(os.environ['TQDM_DISABLE'])"
    )
    clean = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, env=clean)
    assert done.stdout.split() == [__version__, "1"]


def test_the_start_is_quick() -> None:
    """Importing the command line brings in neither the model's libraries nor the service's."""
    code = (
        "import sys, app.cli\n"
        "heavy = {'torch', 'sentence_transformers', 'transformers', 'fastapi', 'faiss', 'datasets', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is printed alone."""
    assert run("version") == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_the_catalogue_is_checked(capsys: pytest.CaptureFixture[str], tiny_folder: Path, tmp_path: Path) -> None:
    """A good catalogue is counted; a bad line is named with its file and ends with 4."""
    assert run("catalogue", "check", str(tiny_folder)) == 0
    assert capsys.readouterr().out.startswith("2 dataset, 1 technique")
    broken = tmp_path / "data"
    broken.mkdir()
    for file in tiny_folder.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "techniques.jsonl").write_text('{"id": "x"}\n', encoding="utf-8")
    assert run("catalogue", "check", str(broken)) == cli.EXIT_BROKEN
    assert "techniques.jsonl:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["screen", "no-such.jsonl"], "There is no no-such.jsonl"),
        (["screen", "pyproject.toml"], "unknown kind (.toml)"),
        (["search"], "Give either a description or --queries"),
        (["search", "x", "--queries", "y.jsonl"], "Give either"),
        (["screen", "pyproject.toml", "--resume"], "--resume needs --output"),
    ],
)
def test_bad_input_is_one_sentence_and_two(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the caller can mend ends with 2, before the model is loaded."""
    monkeypatch.chdir(ROOT)
    assert run(*arguments) == cli.EXIT_BAD_INPUT
    assert words in sentence(capsys.readouterr())


def test_wrong_options_end_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    """An option that doesn't exist, or a value out of bounds, is the caller's to mend too."""
    assert run("check", "x", "--fromat", "json") == 2
    assert run("search", "x", "--k", "0") == 2
    assert run("search", "x", "--kind", "poem") == 2
    assert "Traceback" not in capsys.readouterr().err


def test_what_is_broken_ends_with_four(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the installation has a code of its own, and its sentence says what to do."""

    def fail() -> Checker:
        raise IndexMissing("There is no index. Run: originality index build")

    monkeypatch.setattr(console, "open_checker", fail)
    assert run("check", "titanic") == cli.EXIT_BROKEN
    assert "Run: originality index build" in sentence(capsys.readouterr())


def test_standard_input_that_is_no_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that aren't UTF-8 are refused at their place."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9")))
    assert run("check", "-") == cli.EXIT_BAD_INPUT
    assert "Standard input is not UTF-8 (byte 3)" in sentence(capsys.readouterr())


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use is told with the way out, before anything is loaded."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("serve", "--port", str(port)) == cli.EXIT_BROKEN
    assert f"Port {port} on 127.0.0.1 can't be had" in sentence(capsys.readouterr())


# --- with it ---------------------------------------------------------------------------------------------------------


@pytest.mark.model
@pytest.mark.usefixtures("served")
class TestWithTheModel:
    """Commands that judge."""

    def test_exit_codes_of_a_check(self, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        """Judged is 0; flagged is 3 if asked; what isn't flagged is 0 all the same."""
        assert run("check", TITANIC) == 0
        assert run("check", TITANIC, "--fail-on-flag") == cli.EXIT_FLAGGED
        assert run("check", OWN, "--fail-on-flag") == 0
        assert b"Traceback" not in capsysbinary.readouterr().err

    def test_what_the_author_says_of_themselves_steers_the_advice_alone(
        self, capsysbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """Two people with one idea get the same verdict and other suggestions, each of their own place and liking."""
        found = []
        for about in (
            ["--interests", "health", "--place", "Porto", "--hours", "10", "--hardware", "no GPU"],
            ["--interests", "games", "--place", "Lagos", "--hours", "100", "--skills", "web", "--hardware", "a GPU"],
        ):
            assert run("check", TITANIC, "--format", "json", *about) == 0
            found.append(json.loads(capsysbinary.readouterr().out))
        health, games = found
        assert health["flag_probability"] == games["flag_probability"]
        told = [" ".join(f"{s['title']} {s['detail']}" for s in one["suggestions"]) for one in found]
        assert "Porto" in told[0]
        assert "Lagos" in told[1]
        assert len({s["title"] for s in health["suggestions"]} & {s["title"] for s in games["suggestions"]}) <= 1
        assert "a month" not in {s["effort"] for s in health["suggestions"]}
        for one in found:
            for suggestion in one["suggestions"]:
                assert len(suggestion["first_steps"]) == 2
                assert all(r["url"].startswith("http") for r in suggestion["resources"])
        assert run("check", TITANIC, "--hours", "-1") == cli.EXIT_BAD_INPUT

    @pytest.mark.parametrize(
        ("text", "words"), [(" ", "There is nothing in the text"), ("x" * 200_001, "200,001 characters")]
    )
    def test_a_bad_text_is_one_sentence(self, text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
        """What can't be read ends with 2 and says why."""
        assert run("check", text) == cli.EXIT_BAD_INPUT
        assert words in sentence(capsys.readouterr())

    def test_json_is_the_report(self, capsysbinary: pytest.CaptureFixture[bytes], checker: Checker) -> None:
        """The JSON written is the report that the checker gives."""
        assert run("check", TITANIC, "--format", "json") == 0
        assert json.loads(capsysbinary.readouterr().out) == checker.check(TITANIC).model_dump(mode="json")

    def test_html_and_text_are_written(self, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        """A page is a page, and the text names the verdict."""
        assert run("check", TITANIC, "--format", "html") == 0
        assert capsysbinary.readouterr().out.lstrip().lower().startswith(b"<!doctype html>")
        assert run("check", TITANIC) == 0
        assert b"well worn" in capsysbinary.readouterr().out.lower()

    def test_standard_input_is_read(
        self, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A text piped in, with a byte order mark or without, is judged."""
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + TITANIC.encode())))
        assert run("check", "--format", "json") == 0
        assert json.loads(capsysbinary.readouterr().out)["verdict"] == "well_worn"

    def test_screening_keeps_the_order(self, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        """One line out for each one in, in order, a broken or empty one as its error."""
        path = submissions(tmp_path, OWN, None, TITANIC, " ", "titanic again with kNN", "\ud800 bees")
        assert run("screen", str(path), "--no-suggest") == 0
        rows = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
        assert [row["id"] for row in rows] == ["n0", "2", "n2", "n3", "n4", "n5"]
        assert ["error" in row for row in rows] == [False, True, False, True, False, False]
        assert rows[1]["error"].startswith("in.jsonl:2: not JSON")
        assert [rows[2]["flagged"], rows[4]["flagged"]] == [True, True]

    def test_a_stopped_screening_goes_on(self, tmp_path: Path) -> None:
        """Stopped within a line, it goes on to the same bytes as if it had never stopped; done, it adds nothing."""
        texts = [f"{TITANIC} {n}" if n % 3 else (None if n == 9 else f"{OWN} {n}") for n in range(20)]
        path, whole, part = submissions(tmp_path, *texts), tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
        assert run("screen", str(path), "--no-suggest", "--output", str(whole)) == 0
        data = whole.read_bytes()
        assert data.count(b"\n") == 20
        for cut in (0, 100, len(data) // 2, len(data) - 1, len(data)):
            part.write_bytes(data[:cut])
            assert run("screen", str(path), "--no-suggest", "--output", str(part), "--resume") == 0
            assert part.read_bytes() == data

    def test_csv_has_a_row_an_input(self, tmp_path: Path) -> None:
        """The table has one header, errors in their column, and goes on where it was stopped."""
        path, out = submissions(tmp_path, TITANIC, None, OWN), tmp_path / "out.csv"
        assert run("screen", str(path), "--no-suggest", "--format", "csv", "--output", str(out)) == 0
        data = out.read_bytes()
        rows = list(csv.DictReader(io.StringIO(data.decode())))
        assert [row["verdict"] for row in rows] == ["well_worn", "", rows[2]["verdict"]]
        assert rows[1]["error"].startswith("in.jsonl:2")
        out.write_bytes(data[: data.rfind(b"\n", 0, -1) + 5])
        assert run("screen", str(path), "--no-suggest", "--format", "csv", "--output", str(out), "--resume") == 0
        assert out.read_bytes() == data

    def test_search_writes_hits(self, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        """A line a query with its hits, best first; a broken query has its error."""
        (tmp_path / "q.jsonl").write_text('{"id": "a", "text": "iris flowers"}\n{\n', encoding="utf-8")
        assert (
            run("search", "--queries", str(tmp_path / "q.jsonl"), "--k", "3", "--format", "jsonl", "--kind", "dataset")
            == 0
        )
        rows = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
        assert (rows[0]["id"], rows[0]["hits"][0]["entry"], len(rows[0]["hits"])) == ("a", "iris", 3)
        assert (rows[1]["hits"], "not JSON" in rows[1]["error"]) == ([], True)
        assert run("search", "Titanic passengers", "--k", "1") == 0
        assert b"Titanic" in capsysbinary.readouterr().out

    def test_info_names_the_parts(self, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        """Versions and counts come as JSON or as lines."""
        assert run("info", "--format", "json") == 0
        info = json.loads(capsysbinary.readouterr().out)
        assert info["software"] == __version__
        assert info["catalogue"]["dataset"] > 500
        assert run("info") == 0
        assert b"software: " in capsysbinary.readouterr().out

    def test_no_word_of_a_text_goes_to_standard_error(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Neither a good text nor a bad one leaves a word in logs or beside the report."""
        caplog.set_level("DEBUG")
        path = submissions(tmp_path, f"{TITANIC} {MARK}", f"{MARK}\x00\x01\x02\x03\x04", MARK * 20_000)
        assert run("screen", str(path), "--no-suggest", "--output", str(tmp_path / "o.jsonl")) == 0
        assert run("check", MARK * 20_000) == 2
        out, err = capfdbinary.readouterr()
        assert MARK.encode() not in out + err
        assert MARK not in caplog.text


@pytest.mark.model
@pytest.mark.usefixtures("checker")
def test_the_command_from_the_outside() -> None:
    """As a process of its own it judges, writes only the report, and ends with the code."""
    command = [sys.executable, "-m", "app", "check", "-", "--format", "json", "--fail-on-flag"]
    done = subprocess.run(command, input=TITANIC, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == cli.EXIT_FLAGGED, done.stderr
    assert json.loads(done.stdout)["verdict"] == "well_worn"
    assert "Traceback" not in done.stderr
