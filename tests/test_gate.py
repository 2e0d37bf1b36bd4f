"""Checking a repository's READMEs where it is built: what a person, a code host and the next step get."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import app
from app import cli, console, gate, sarif
from app.errors import BadInput
from tests.test_cli import run

if TYPE_CHECKING:
    from app.checker import Checker

ROOT = Path(app.__file__).parent.parent
WORN = "# My project\n\nIntro é.\n\nPredict who survives the Titanic with logistic regression on the Kaggle data.\n"
OWN = "We weighed twelve hives of our own every hour for a year, and forecast swarming with a model of our own.\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with two READMEs, and stand in it, on no GitHub."""
    (tmp_path / "README.md").write_text(WORN, encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "README.md").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def opened(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run have the checker that is open already."""
    monkeypatch.setattr(console, "open_checker", lambda: checker)


def test_a_workflow_command_cannot_be_broken_out_of() -> None:
    """A name or message with line ends and colons stays within its field; a Markdown cell within its cell."""
    odd = gate.Checked("a,b:c\n::x::%.md", "", BadInput("a|b\n<img>"))
    assert gate.commands([odd]) == []
    assert gate._escaped(odd.path, ":,") == "a%2Cb%3Ac%0A%3A%3Ax%3A%3A%25.md"
    assert "| could not be judged |  | a\\|b &lt;img> |" in gate.as_summary([odd])


@pytest.mark.model
@pytest.mark.usefixtures("opened")
def test_findings_stand_at_their_lines(repository: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """SARIF names rule, file and the very words; what isn't flagged is no finding."""
    assert run("gate", "README.md", "own/README.md", "--sarif", "o.sarif", "--fail-on-flag") == cli.EXIT_FLAGGED
    written = json.loads((repository / "o.sarif").read_text())
    (only,) = written["runs"]
    (finding,) = only["results"]
    assert (written["version"], only["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    assert only["tool"]["driver"]["rules"][finding["ruleIndex"]]["id"] == finding["ruleId"] == sarif.RULE
    place = finding["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "README.md"
    region = place["region"]
    assert region["startLine"] == region["endLine"] == 5
    line = WORN.splitlines()[4]
    words = line[region["startColumn"] - 1 : region["endColumn"] - 1]
    assert words
    assert words == words.strip()
    said = capsysbinary.readouterr().out.decode()
    assert said.startswith("README.md: well worn (")
    assert "\nown/README.md: " in said
    assert "::warning" not in said


@pytest.mark.model
@pytest.mark.usefixtures("opened")
def test_what_cannot_be_checked_is_bad_input(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No such file, another encoding, nothing in it."""
    (repository / "bad.md").write_bytes(b"caf\xe9")
    (repository / "empty.md").write_bytes(b"\n")
    assert run("gate", "no.md") == cli.EXIT_BAD_INPUT
    assert run("gate", "bad.md") == cli.EXIT_BAD_INPUT
    assert run("gate", "empty.md") == cli.EXIT_BAD_INPUT
    said = capsys.readouterr()
    assert "no.md can't be read: No such file" in said.err
    assert "bad.md is not UTF-8 (byte 3)" in said.err
    assert "empty.md: could not be judged: There is nothing in the text" in said.out


def environment(**more: str) -> dict[str, str]:
    """Give an environment in which the entry script finds this checkout's checker."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "ORIGINALITY_COMMAND": f"{sys.executable} -m app", **more}


@pytest.mark.model
def test_the_action_speaks_to_github(repository: Path) -> None:
    """Its entry script, with the variables that GitHub sets: annotations, a summary, outputs, SARIF, the exit code."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    step = next(step for step in steps if step.get("id") == "check")
    inputs: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    assert step["run"] == '"$GITHUB_ACTION_PATH/scripts/action"'
    assert set(step["env"].values()) == {f"${{{{ inputs.{name} }}}}" for name in inputs if name != "python"}
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(repository / "summary.md"),
        "GITHUB_OUTPUT": str(repository / "output"),
        "INPUT_FILES": "README.md\n\nown/README.md\n",
        "INPUT_SARIF": "o.sarif",
        "INPUT_FAIL_ON_FLAG": "true",
    }
    done = subprocess.run(
        ["bash", "-c", step["run"]],
        cwd=repository,
        env=environment(**github),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == cli.EXIT_FLAGGED, done.stderr
    assert "\n::warning file=README.md,line=5,title=Originality::well worn (" in done.stdout
    assert (repository / "output").read_text() == "flagged=1\nchecked=2\nsarif=o.sarif\n"
    summary = (repository / "summary.md").read_text()
    assert "| README.md | well worn | " in summary
    assert "| own/README.md | " in summary
    assert len(json.loads((repository / "o.sarif").read_text())["runs"][0]["results"]) == 1


def test_the_action_refuses_what_is_no_switch(repository: Path) -> None:
    """Before anything is installed or judged."""
    script = str(ROOT / "scripts" / "action")
    done = subprocess.run(
        [script], cwd=repository, env=environment(INPUT_FAIL_ON_FLAG="yes"), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "originality: fail-on-flag is neither true nor false.\n")


@pytest.mark.model
def test_the_hook_stops_a_commit(repository: Path) -> None:
    """Pre-commit runs the entry that we publish, over READMEs alone, and fails on a flagged one."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    command = hook["entry"].replace("originality", f"{sys.executable} -m app", 1)
    local = {**hook, "entry": command, "language": "system"}
    del local["language_version"]  # of an environment that pre-commit would make, with all packages in it
    config = {"repos": [{"repo": "local", "hooks": [local]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (repository / "notes.md").write_text(WORN)
    env = environment(PRE_COMMIT_HOME=str(repository / ".cache"), GIT_CONFIG_GLOBAL="/dev/null")
    for arguments in (["init", "-q"], ["add", "README.md", "own/README.md", "notes.md"]):
        subprocess.run(["git", *arguments], cwd=repository, env=env, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose"],
        cwd=repository,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"- exit code: {cli.EXIT_FLAGGED}" in done.stdout
    assert "README.md: well worn (" in done.stdout
    assert "notes.md" not in done.stdout
