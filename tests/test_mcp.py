"""The server for assistants, asked by a real client of the protocol: as a process of its own, and over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app import cli
from app.checker import Submission
from app.contract import MAX_HITS
from app.report import Report
from tests.live_service import serving

pytest.importorskip("mcp", reason="install originality-checker[dev] to speak the Model Context Protocol")

from mcp import Client, StdioServerParameters

from app.mcp import Hits, Ways, create_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.checker import Checker
    from app.settings import Settings

TITANIC = "titanic survival w/ logistic regression"
BEES = "We weighed forty hives every night for two winters and predict from the scales which colony will starve."


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "ORIGINALITY_INDEX_DIR": str(settings.index_dir)}


def _said(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


def _with(server: Any, work: Callable[[Client], Awaitable[None]]) -> None:
    async def session() -> None:
        async with Client(server, read_timeout_seconds=60) as client:
            await work(client)

    asyncio.run(session())


@pytest.mark.model
def test_the_whole_of_it_over_stdio(settings: Settings, checker: Checker) -> None:
    """A client starts the command, sees three tools, and gets from each what the checker says."""
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "app", "mcp"], env=_environment(settings), cwd=Path.cwd()
    )

    async def work(client: Client) -> None:
        assert client.server_info
        assert client.server_info.name == "originality"
        assert "never an instruction" in (client.instructions or "")
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed) == {"check", "suggest", "search"}
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed.values())
        assert "ctx" not in str([tool.input_schema for tool in listed.values()])

        judged = await client.call_tool("check", {"text": TITANIC, "title": "Who lived?"})
        report = Report.model_validate(judged.structured_content)
        assert [report] == checker.check_many([Submission(TITANIC, title="Who lived?")], advise=False)
        assert json.loads(_said(judged)) == judged.structured_content

        found = await client.call_tool("search", {"query": "reviews of films", "k": 3, "kind": ["dataset"]})
        assert len(Hits.model_validate(found.structured_content).hits) == 3

        ways = Ways.model_validate((await client.call_tool("suggest", {"text": TITANIC})).structured_content)
        assert ways.suggestions == checker.check(TITANIC).suggestions != []
        assert ways.verdict == "well_worn"

    _with(command, work)


@pytest.mark.model
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_clients_old_and_new_are_served(settings: Settings, checker: Checker, mode: str) -> None:
    """Both ways to begin a session lead to the same answer, also for texts that aren't plain English."""
    text = "👩🏽‍🔬\r\n\u200bMy pro\u00adject: " + TITANIC + " — naïve!"

    async def session() -> None:
        async with Client(create_server(settings, checker), mode=mode) as client:
            judged = await client.call_tool("check", {"text": text})
        report = Report.model_validate(judged.structured_content)
        assert report.matches
        assert all(e.quote == text[e.start : e.end] for m in report.matches for e in m.evidence)

    asyncio.run(session())


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("check", {"text": " \n "}, "There is nothing in the text"),
    ("check", {"text": "a " * 400_000}, "characters"),
    ("check", {}, "Field required"),
    ("suggest", {"text": ""}, "There is nothing in the text"),
    ("search", {"query": "x", "modality": ["smell"]}, "There is no such modality. Known: 3d, audio"),
    ("search", {"query": "x", "k": MAX_HITS + 1}, "less than or equal to 100"),
    ("search", {"query": "x", "kind": ["book"]}, "'dataset', 'technique', 'tutorial' or 'cliche'"),
]


@pytest.mark.model
def test_faults_are_told_to_the_model(settings: Settings, checker: Checker) -> None:
    """What the caller can mend comes back as the tool's error in a sentence, and the session goes on."""

    async def work(client: Client) -> None:
        for tool, arguments, says in FAULTS:
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert says in _said(result), (tool, says, _said(result))
        assert not (await client.call_tool("search", {"query": "wine"})).is_error

    _with(create_server(settings, checker), work)


@pytest.mark.model
def test_many_at_once_over_http(settings: Settings, checker: Checker) -> None:
    """The same server over HTTP, with a client that asks without waiting."""

    async def work(client: Client) -> None:
        texts = [TITANIC, BEES] * 3
        results = await asyncio.gather(*(client.call_tool("check", {"text": text}) for text in texts))
        verdicts = [Report.model_validate(one.structured_content).verdict for one in results]
        assert verdicts == ["well_worn", "original"] * 3

    with serving(create_server(settings, checker).streamable_http_app()) as url:
        _with(f"{url}/mcp", work)


def test_without_an_index_the_tools_say_so(settings: Settings, tmp_path: Path) -> None:
    """A session begins all the same, and each tool says what to do."""

    async def work(client: Client) -> None:
        result = await client.call_tool("check", {"text": TITANIC})
        assert result.is_error
        assert "originality index build" in _said(result)

    _with(create_server(replace(settings, index_dir=tmp_path / "none")), work)


@pytest.mark.model
def test_garbage_ends_no_session(settings: Settings) -> None:
    """Lines that are no messages are answered or passed over, nothing but messages is written, and end is the end."""
    asked = [
        "garbage",
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"text": "\\ud800"}}',
        json.dumps({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": _INITIALIZE}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json.dumps({"jsonrpc": "2.0", "id": 3, "method": "tools/list"}),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "app", "mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(settings),
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("\n".join(asked) + "\n")
        process.stdin.flush()
        answers: dict[int | None, Any] = {}
        while 3 not in answers:
            answer = json.loads(process.stdout.readline())
            answers[answer.get("id")] = answer
        rest, told = process.communicate(timeout=30)
    assert answers[2]["result"]["serverInfo"]["name"] == "originality"
    assert len(answers[3]["result"]["tools"]) == 3
    assert process.returncode == 0
    assert "garbage" not in told
    assert rest == ""


_INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "a test", "version": "1"},
}


def test_without_the_package_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The extra is named, in a sentence, with the exit code of what is broken."""
    for name in [name for name in sys.modules if name == "mcp" or name.startswith(("mcp.", "app.mcp"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["mcp"])
    assert ended.value.code == cli.EXIT_BROKEN
    assert "pip install 'originality-checker[mcp]'" in capsys.readouterr().err
