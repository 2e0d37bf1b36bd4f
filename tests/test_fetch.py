"""Following links: every service's protocol against a server of our own, and the addresses that must not be asked."""

from __future__ import annotations

import gzip
import json
import os
import socket
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.errors import SourceUnusable
from app.fetch import follow
from app.fetch.compare import compare
from app.fetch.page import to_text
from app.fetch.web import LIMITS
from app.settings import Fetching
from app.submissions import Item
from tests.local_service import Reply, Service, as_json, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "token-of-the-tests"  # noqa: S105  nobody's
QUICK = replace(LIMITS, attempts=2, pause_s=0.001, longest_pause_s=1, step_s=5, total_s=5, max_bytes=300_000)
README = b"# Bees\n\nWe weighed twelve hives. Run `train.py`. There are unit tests, and Docker."
NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": "load_iris()"}]}).encode()


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:
        yield lambda pages: stack.enter_context(running(site(pages)))


def site(pages: dict[str, Any]) -> Callable[[str, dict[str, str]], Reply]:
    """Answer paths from a table; bytes are a body, a reply is itself, anything else is JSON; the rest isn't there."""

    def respond(path: str, _: dict[str, str]) -> Reply:
        found = pages.get(path, Reply(status=404))
        if isinstance(found, bytes):
            return Reply(found, headers={"Content-Type": "text/html; charset=utf-8"})
        return found if isinstance(found, Reply) else as_json(found)

    return respond


def settings(service: Service | None = None, **more: Any) -> Fetching:
    """Give settings that name a server of ours as every service, and allow it alone."""
    if service is None:
        return Fetching(seconds_between=0, **more)
    host = service.url.removeprefix("http://")
    bases = {f"{name}_url": f"{service.url}/{name}" for name in ("github", "gitlab", "hub", "kaggle")}
    given: dict[str, Any] = {"allowed_hosts": (host,), "seconds_between": 0, **bases} | more
    return Fetching(**given)


def read(link: str, fetching: Fetching, candidate: str = "") -> list[Item]:
    """Follow one link."""
    return list(follow([Item("7", "", "l.txt:1", link=link, candidate=candidate)], fetching, QUICK))


def error(link: str, fetching: Fetching) -> str:
    """Follow a link that leads nowhere."""
    (item,) = read(link, fetching)
    assert item.text == ""
    assert item.error.startswith("l.txt:1: ")
    return item.error.removeprefix("l.txt:1: ")


def codes(item: Item) -> list[str]:
    """Give the codes of an item's notices."""
    return [notice.code for notice in item.notices]


# --- GitHub ----------------------------------------------------------------------------------------------------------

BEES = {
    "full_name": "ana/bees",
    "owner": {"login": "ana"},
    "description": "Weights of hives",
    "topics": ["bees", "time-series"],
    "default_branch": "main",
    "size": 10,
    "pushed_at": "2026-01-02T03:04:05Z",
}


def github(name: str = "ana/bees", about: dict[str, Any] | None = None, **files: bytes) -> dict[str, Any]:
    """Give the pages of one repository; of a file's name ``__`` stands for a dot and ``___`` for a slash."""
    named = {key.replace("___", "/").replace("__", "."): data for key, data in files.items()}
    tree = [{"path": path, "type": "blob", "size": len(data)} for path, data in named.items()]
    return {
        f"/github/repos/{name}": {**BEES, "full_name": name, **(about or {})},
        f"/github/repos/{name}/git/trees/main": {"tree": [*tree, {"path": "x", "type": "tree"}]},
        **{f"/github/repos/{name}/contents/{path}": data for path, data in named.items()},
    }


def test_a_repository_is_read_by_what_is_in_it(serve: Callable[..., Service]) -> None:
    """Description, README and what its notebook loads make the text; facts and gaps are for information."""
    service = serve(github(README__md=README, a__ipynb=NOTEBOOK, docs___README__md=b"no"))
    (item,) = read("https://github.com/ana/bees.git", settings(service))
    assert item.error == ""
    assert item.text == (
        f"Weights of hives\n\n{README.decode()}\n\nIts notebook a.ipynb: It loads the data with load_iris().\n"
    )
    assert (item.id, item.candidate, item.title) == ("7", "ana", "bees")
    assert codes(item) == ["repository", "files-missing", "claim-unseen", "claim-unseen", "data-unsaid"]
    assert [notice.message for notice in item.notices][:2] == [
        "Repository ana/bees: It has 3 files. Its topics: bees, time-series. Last pushed 2026-01-02.",
        "The README names files that aren't there: train.py.",
    ]


def test_a_folder_and_a_file_of_a_repository_are_read_by_themselves(serve: Callable[..., Service]) -> None:
    """A link to a folder reads that folder's README, one to a file that file."""
    service = serve(github(README__md=b"all", hives___README__md=b"Twelve hives", hives___n__ipynb=NOTEBOOK))
    (folder,) = read("https://github.com/ana/bees/tree/main/hives", settings(service))
    assert (folder.title, folder.text.splitlines()[0]) == ("hives", "Twelve hives")
    (file,) = read("https://github.com/ana/bees/blob/main/hives/n.ipynb", settings(service))
    assert file.text == "It loads the data with load_iris()."
    assert "has no folder 'frogs'" in error("https://github.com/ana/bees/tree/main/frogs", settings(service))


def test_a_repository_without_a_readme_speaks_by_its_notebooks(serve: Callable[..., Service]) -> None:
    """It says so; one that says nothing at all is an error."""
    service = serve(github(a__ipynb=NOTEBOOK) | github("ana/mute", {"description": None}, x__py=b"1"))
    (item,) = read("https://github.com/ana/bees", settings(service))
    assert item.text == "Weights of hives\n\nIt loads the data with load_iris()."
    assert codes(item) == ["repository", "readme-missing"]
    assert "has no README, no description and no readable" in error("https://github.com/ana/mute", settings(service))


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(status=404), "isn't there, or is private: nothing is to be seen without a token"),
        (Reply(status=401), "the token isn't accepted"),
        (Reply(status=403), "may not be read without a token"),
        (Reply(status=451), "is blocked for legal reasons"),
        (as_json({**BEES, "default_branch": None}), "is empty"),
        (as_json([3]), "is empty"),
        (Reply(b"<html>sign in", headers={"Content-Type": "text/html"}), "answered with a web page (HTML)"),
        (Reply(status=500), "answered 500 Internal Server Error, at the last of 2 attempts"),
    ],
)
def test_a_repository_that_cannot_be_had_says_why(reply: Reply, message: str, serve: Callable[..., Service]) -> None:
    """Gone, private, empty, refused, broken: one clear error each."""
    service = serve({"/github/repos/ana/bees": reply})
    assert message in error("https://github.com/ana/bees", settings(service))


def test_an_empty_tree_is_an_empty_repository(serve: Callable[..., Service]) -> None:
    """GitHub says conflict of a repository without a commit."""
    service = serve(github() | {"/github/repos/ana/bees/git/trees/main": Reply(status=409)})
    assert "The repository ana/bees has no files" in error("https://github.com/ana/bees", settings(service))


def test_a_renamed_repository_is_followed(serve: Callable[..., Service]) -> None:
    """The old name redirects to a number; what it's called now is told."""
    moved = {
        "/github/repos/ana/old": Reply(status=301, headers={"Location": "/github/repositories/7"}),
        "/github/repositories/7": BEES,
    }
    (item,) = read("https://github.com/ana/old", settings(serve(github(README__md=README) | moved)))
    assert item.notices[0].message.startswith("Repository ana/bees: It is now called ana/bees. It has 1 files.")


def test_a_spent_rate_is_told_and_not_asked_again(serve: Callable[..., Service]) -> None:
    """Where the host asks for an hour, its other links fail at once, with the same reason; other links are read."""
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3600)}
    service = serve({f"/github/repos/ana/{n}": Reply(status=403, headers=spent) for n in range(20)})
    links = [Item(str(n), "", f"l:{n}", link=f"https://github.com/ana/{n}") for n in range(20)]
    found = list(follow([*links, Item("t", "hives", "l:20")], settings(service), QUICK))
    assert [item.id for item in found] == [*map(str, range(20)), "t"]
    assert all(
        "403 Forbidden and asks to wait 3,6" in item.error or "asks to wait 3,5" in item.error for item in found[:20]
    )
    assert found[20].text == "hives"
    assert len(service.asked) <= 2  # as many as were on their way


def test_a_short_wait_is_waited(serve: Callable[..., Service]) -> None:
    """A host that is busy for a moment is asked again."""
    replies = iter([Reply(status=429, headers={"Retry-After": "0"}), as_json(BEES)])
    pages = github(README__md=README)

    def respond(path: str, query: dict[str, str]) -> Reply:
        return next(replies) if path == "/github/repos/ana/bees" else site(pages)(path, query)

    with running(respond) as service:
        (item,) = read("https://github.com/ana/bees", settings(service))
    assert item.error == ""


def test_a_user_is_read_by_the_pinned_repositories(serve: Callable[..., Service]) -> None:
    """With a token GitHub tells them; the token goes to its address and to no other."""
    pinned = {
        "data": {"user": {"pinnedItems": {"nodes": [{"nameWithOwner": "ana/bees"}, {}, {"nameWithOwner": "ana/no"}]}}}
    }
    pages = github(README__md=README) | {"/github/graphql": pinned}
    service = serve(pages)
    found = read("https://github.com/ana", settings(service, github_token=TOKEN))
    assert [(item.id, item.candidate) for item in found] == [("7/bees", "ana"), ("7/no", "ana")]
    assert found[0].notices[0].message == "Read are the 2 repositories that ana has pinned."
    assert "ana/no isn't there, or is private: nothing is to be seen with the token" in found[1].error
    assert service.posted[0]["variables"] == {"login": "ana"}
    assert {headers.get("authorization") for headers in service.headers} == {f"Bearer {TOKEN}"}
    assert TOKEN not in repr(settings(service, github_token=TOKEN))


def test_a_user_without_pins_is_read_by_stars(serve: Callable[..., Service]) -> None:
    """Forks, empty ones, the profile and the site don't count; that they were chosen so is told."""
    listed = [
        {"full_name": f"ana/{name}", "name": name, "size": size, "fork": fork, "stargazers_count": stars}
        for name, size, fork, stars in (
            ("a", 1, False, 0),
            ("bees", 1, False, 9),
            ("f", 1, True, 99),
            ("e", 0, False, 99),
            ("ana", 1, False, 99),
            ("Ana.github.io", 1, False, 99),
        )
    ]
    service = serve(
        github(README__md=README) | github("ana/a", README__md=README) | {"/github/users/ana/repos": listed}
    )
    found = read("https://www.github.com/ana/", settings(service), candidate="K1")
    assert [(item.id, item.candidate, item.error) for item in found] == [("7/bees", "K1", ""), ("7/a", "K1", "")]
    assert "Read are 2 of 2 own repositories of ana, most stars first: pinned ones are told only" in (
        found[0].notices[0].message
    )
    assert "bo has no public repository of their own" in error(
        "https://github.com/bo", settings(serve({"/github/users/bo/repos": []}))
    )


# --- the others ------------------------------------------------------------------------------------------------------


def test_a_gitlab_project_is_read(serve: Callable[..., Service]) -> None:
    """Its path may have groups within groups; the list of files has pages; users have projects."""
    project = {
        "path_with_namespace": "lab/team/bees",
        "default_branch": "main",
        "description": "Weights by the hour",
        "topics": 3,
    }
    tree = "/gitlab/api/v4/projects/lab%2Fteam%2Fbees/repository/tree"

    def respond(path: str, query: dict[str, str]) -> Reply:
        if path == tree and "page" not in query:
            return as_json([{"path": "x.py", "type": "blob"}], Link=f'<https://gitlab.com{tree}?page=2>; rel="next"')
        if path == tree:
            return as_json([{"path": "README.md", "type": "blob"}, {"path": "d", "type": "tree"}])
        pages = {
            "/gitlab/api/v4/projects/lab%2Fteam%2Fbees": project,
            "/gitlab/api/v4/projects/lab%2Fteam%2Fbees/repository/files/README.md/raw": README,
            "/gitlab/api/v4/users/ana/projects": [project, {"forked_from_project": {}, "path_with_namespace": "f/f"}],
            "/gitlab/api/v4/projects/lab%2Fvoid": {"empty_repo": True},
        }
        return site(pages)(path, query)

    with running(respond) as service:
        (item,) = read("https://gitlab.com/lab/team/bees/-/tree/main", settings(service))
        assert item.text == f"Weights by the hour\n\n{README.decode()}"
        assert codes(item) == ["repository", "files-missing", "claim-unseen", "claim-unseen"]
        (one,) = read("https://gitlab.com/ana", settings(service))
        assert (one.id, one.error) == ("7/bees", "")
        assert "The project lab/void is empty" in error("https://gitlab.com/lab/void", settings(service))
        assert "The project lab/no isn't there, or is private" in error("https://gitlab.com/lab/no", settings(service))


def test_a_card_of_the_hub_is_read(serve: Callable[..., Service]) -> None:
    """Without its head; the data that only its tags name is told at the end."""
    card = b"---\nlicense: mit\n---\n# Bee sounds\n\nTells queens by ear."
    service = serve(
        {
            "/hub/api/models/ana/bees": {"tags": ["dataset:bees-1k", "x", 3], "siblings": [{}, {}]},
            "/hub/ana/bees/raw/main/README.md": card,
            "/hub/api/datasets/ana/hives": {},
            "/hub/datasets/ana/hives/raw/main/README.md": b"---\na: b\n---\n",
        }
    )
    (item,) = read("https://huggingface.co/ana/bees", settings(service))
    assert item.text == "# Bee sounds\n\nTells queens by ear.\n\nIts data: bees-1k.\n"
    assert (item.candidate, item.notices[0].message) == ("ana", "Model ana/bees: 2 files.")
    assert "has no card that says anything" in error("https://huggingface.co/datasets/ana/hives", settings(service))
    assert "ana/no isn't on the hub, or is private" in error("https://huggingface.co/spaces/ana/no", settings(service))


def test_kaggle_is_read_by_its_api_or_its_page(serve: Callable[..., Service]) -> None:
    """A notebook's source, a data set's description; a script's page, since its source is no notebook."""
    page = (
        b"<html><head><title>Frogs</title><meta name=description content='"
        + b"Frogs were counted. " * 8
        + b"'></head></html>"
    )
    service = serve(
        {
            "/kaggle/api/v1/kernels/pull": {"blob": {"source": NOTEBOOK.decode()}, "metadata": {"title": "Flowers"}},
            "/kaggle/api/v1/datasets/view/ana/hives": {"titleNullable": "Hives", "description": "Weights by the hour."},
        }
    )
    (code,) = read("https://www.kaggle.com/code/ana/flowers", settings(service))
    assert (code.text, code.title, code.candidate) == ("It loads the data with load_iris().", "Flowers", "ana")
    (data,) = read("https://kaggle.com/datasets/ana/hives/data", settings(service))
    assert (data.text, data.title) == ("Hives\n\nWeights by the hour.", "Hives")
    other = serve({"/kaggle/api/v1/kernels/pull": Reply(status=403), "/code/bo/frogs": page})
    mirror = settings(other, kaggle_url=f"{other.url}/kaggle")
    (item,) = read(
        f"{other.url}/code/bo/frogs",
        replace(
            mirror,
            github_url="https://api.github.com",
            gitlab_url="https://gitlab.com",
            hub_url="https://huggingface.co",
        ),
    )
    assert (item.title, item.candidate) == ("Frogs", "bo")
    assert item.text.startswith("Frogs\n\nFrogs were counted.")


PAGE = """<!doctype html><html><head><title> Bees &amp;
 hives</title></head><body><nav>Home About</nav><script>var x = 'no';</script><main><h1>Bees</h1>
<p>We weighed <b>twelve</b> hives every hour for a whole year, with load cells that we soldered.</p>
<ul><li>Größe</li><li>nectar</li></ul></main><footer>Imprint</footer></body></html>"""


def public(service: Service) -> Fetching:
    """Give settings under which a server of ours is a page like any other, and no service."""
    return Fetching(allowed_hosts=(service.url.removeprefix("http://"),), seconds_between=0)


def test_a_page_is_read_as_people_read_it(serve: Callable[..., Service]) -> None:
    """Title and words, without menus and scripts, in whatever encoding it says or has."""
    for body, kind in (
        (PAGE.encode(), "text/html"),
        (PAGE.encode("cp1252"), "text/html; charset=windows-1252"),
        (gzip.compress(PAGE.encode()), "text/html"),
        (PAGE.encode(), "text/html; charset=bees"),
    ):
        packed = {"Content-Encoding": "gzip"} if body.startswith(b"\x1f") else {}
        service = serve({"/p": Reply(body, headers={"Content-Type": kind, **packed})})
        (item,) = read(f"{service.url}/p#top", public(service))
        assert item.error == ""
        assert item.title == "Bees & hives"
        assert "We weighed twelve hives every hour for a whole year" in item.text
        assert "Größe" in item.text or "bees" in kind
        assert not {"Home", "Imprint", "var"} & set(item.text.split())


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(status=404), "isn't there (404)"),
        (Reply(status=401), "asks for a sign-in (401)"),
        (Reply(b"<html><div id=root></div></html>", headers={"Content-Type": "text/html"}), "has nearly no text"),
        (Reply(b"", headers={"Content-Type": "text/html"}), "can't be taken apart"),
        (Reply(b"\x89PNG", headers={"Content-Type": "image/png"}), "is neither a web page nor a text (image/png)"),
        (Reply(b"PK", headers={"Content-Type": "application/zip"}), "is neither a web page nor a text"),
        (Reply(b"%PDF-1", headers={"Content-Type": "application/pdf"}), "is not a readable PDF"),
        (Reply(b"x" * 400_000, headers={"Content-Type": "text/plain"}), "is larger than the 300,000 bytes"),
        (Reply(b"x", headers={"Content-Encoding": "br"}), "is packed by 'br'"),
        (Reply(status=302, headers={"Location": "/p"}), "redirects more than 5 times"),
        (
            Reply(status=302, headers={"Location": "ftp://x.org/"}),
            "redirects to where no link is followed: off the web",
        ),
    ],
)
def test_a_page_that_cannot_be_read_says_why(reply: Reply, message: str, serve: Callable[..., Service]) -> None:
    """One clear error each."""
    service = serve({"/p": reply})
    assert message in error(f"{service.url}/p", public(service))


def test_a_page_of_brackets_ends_soon() -> None:
    """However deep a page is nested, reading it comes to an end."""
    began = time.monotonic()
    for body in (b"<div>" * 50_000, b"<table><tr><td>" * 5_000 + b"x", b"<a" * 100_000, b"&" * 100_000):
        with suppress(SourceUnusable):
            to_text(b"<html><body>" + body)
    assert time.monotonic() - began < 20


# --- what must not be asked ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}",
        "localhost:{port}",
        "2130706433:{port}",
        "0x7f000001:{port}",
        "127.1:{port}",
        "[::1]:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "[64:ff9b::7f00:1]:{port}",
        "0.0.0.0:{port}",
        "169.254.169.254",
        "10.0.0.1",
        "[fd00::1]",
        "224.0.0.1",
    ],
)
def test_no_private_address_is_asked(host: str, serve: Callable[..., Service]) -> None:
    """Loopback in every spelling, the metadata address, private networks: refused, and nothing is sent."""
    service = serve({"/": PAGE.encode()})
    port = service.url.rpartition(":")[2]
    message = error(f"http://{host.format(port=port)}/", settings())
    assert "leads to an address that is not asked" in message or "can't be reached" in message
    assert service.asked == []


@pytest.mark.parametrize("link", ["http://me:pass@x.org/", "http://", "ftp://x.org/"])
def test_what_is_no_plain_link_is_refused(link: str) -> None:
    """Names and passwords in it, no host, another scheme; nothing of the password is repeated."""
    message = error(link, settings())
    assert "The link" in message
    assert "pass" not in message.replace("password", "")


def test_no_redirect_leads_inside(serve: Callable[..., Service]) -> None:
    """An open page may send us on; where it sends us is looked at like every other address."""
    inner = serve({"/": PAGE.encode()})
    outer = serve({"/p": Reply(status=302, headers={"Location": f"{inner.url}/"})})
    assert "leads to an address that is not asked" in error(f"{outer.url}/p", public(outer))
    assert inner.asked == []


def test_no_name_that_changes_its_address_leads_inside(
    serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was looked at is the one connected to: a name that then means another one gains nothing."""
    service = serve({"/": PAGE.encode()})
    port = int(service.url.rpartition(":")[2])
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, *more: Any, **named: Any) -> Any:
        if host not in ("flip.test", b"flip.test"):
            return real(host, *more, **named)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "93.184.215.14"  # inside while it's looked at, then outside
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert "leads to an address that is not asked" in error(f"http://flip.test:{port}/", settings())
    assert len(asked) == 1
    assert service.asked == []


def test_a_token_stays_with_its_service(serve: Callable[..., Service]) -> None:
    """A redirect to another address loses it."""
    other = serve({"/x": BEES})
    service = serve({"/github/repos/ana/bees": Reply(status=302, headers={"Location": f"{other.url}/x"})})
    hosts = tuple(one.url.removeprefix("http://") for one in (service, other))
    read("https://github.com/ana/bees", settings(service, github_token=TOKEN, allowed_hosts=hosts))
    assert service.headers[0]["authorization"] == f"Bearer {TOKEN}"
    assert "authorization" not in other.headers[0]


# --- budget and cache ------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_sent_again(serve: Callable[..., Service], tmp_path: Path) -> None:
    """The second run sends the ETag and gets the same; only its owner may read what is kept, and old ones go."""
    page = Reply(PAGE.encode(), headers={"Content-Type": "text/html", "ETag": '"1"'})
    service = serve({"/p": page, "/r": Reply(status=302, headers={"Location": "/p"})})
    cached = replace(public(service), cache_dir=tmp_path / "pages")
    first, second, third = (read(f"{service.url}{path}", cached) for path in ("/p", "/p", "/r"))
    assert first[0].text == second[0].text == third[0].text
    assert [headers.get("if-none-match") for headers in service.headers] == [None, '"1"', None, None]
    assert service.sent == 2 * len(PAGE.encode())
    files = list((tmp_path / "pages").iterdir())
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    files[0].write_bytes(b"{")
    os.utime(files[1], (0, 0))
    assert read(f"{service.url}/p", cached)[0].text == first[0].text
    assert not files[1].exists() or files[1].stat().st_mtime > 0


def test_a_host_has_a_budget(serve: Callable[..., Service]) -> None:
    """Past it, links to that host are errors; requests keep their distance."""
    service = serve({"/p": PAGE.encode()})
    links = [Item(str(n), "", "l", link=f"{service.url}/p") for n in range(5)]
    began = time.monotonic()
    found = list(follow(links, replace(public(service), requests_per_host=3, seconds_between=0.05), QUICK))
    assert [bool(item.text) for item in found] == [True] * 3 + [False] * 2
    assert "has been asked 3 times in this run, which is its budget" in found[-1].error
    assert time.monotonic() - began >= 0.1


def test_items_without_links_open_nothing() -> None:
    """They pass through in their order, before anything of the network is touched."""
    items = [Item("a", "hives", "x"), Item("b", "", "x", "broken")]
    assert list(follow(items, Fetching(github_url="no address at all"), QUICK)) == items


# --- claims ----------------------------------------------------------------------------------------------------------


def test_what_a_readme_claims_is_looked_for() -> None:
    """What is there is no news; what isn't is told once, and addresses name no files."""
    readme = "Run `src/train.py` on https://x.org/data.csv; unit tests and Docker; see the notebook. CI/CD runs."
    there = ["src/train.py", "tests/test_a.py", "Dockerfile", "n.ipynb", ".github/workflows/ci.yml"]
    assert compare(readme, there, ["It reads bees.csv."])[0].code == "data-unsaid"
    assert [notice.code for notice in compare(readme, there, ["It reads train.csv."])] == []
    assert [notice.code for notice in compare(readme, ["LICENSE"], [])] == [
        "code-missing",
        "files-missing",
        *["claim-unseen"] * 4,
    ]
