"""Gathering the wide catalogue: every protocol against a real server of our own, with the faults that servers have."""

from __future__ import annotations

import fcntl
import gzip
import json
import re
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from app import corpus, harvest
from app.corpus import FIELDS, Row
from app.errors import BadInput, FileUnreadable, SourceUnusable
from app.harvest import known, page
from app.harvest.gather import Summary, gather
from app.harvest.hub import Hub
from app.harvest.kaggle import Kaggle
from app.harvest.openml import OpenML
from app.harvest.partial import Partial
from app.harvest.rdatasets import Rdatasets
from app.harvest.sklearn_ import Sklearn
from app.harvest.tfds import TFDS
from app.harvest.web import Limits, Web
from tests.local_service import Reply, Service, as_json, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.catalogue import Catalogue

QUICK = Limits(attempts=3, pause_s=0.001, longest_pause_s=5, step_s=5, total_s=10, max_bytes=100_000)
ROOT = Path(corpus.__file__).parent.parent
TODAY = page.today()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Service]]:
    """Start servers that end with the test; no proxy of the machine stands between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ExitStack() as stack:
        yield lambda respond: stack.enter_context(running(respond))


def in_turn(*replies: Reply) -> Callable[[str, dict[str, str]], Reply]:
    """Give one reply after the other, the last for ever."""
    left = list(replies)
    return lambda *_: left.pop(0) if len(left) > 1 else left[0]


def dataset(number: int, **more: Any) -> dict[str, Any]:
    """Give an item of OpenML's list."""
    return {"did": number, "name": f"table {number}", "version": 1, "status": "active", **more}


NOTHING = Reply(b'{"error":{"code":"372","message":"No results"}}', 412)


def openml(*pages: list[dict[str, Any]]) -> Callable[[str, dict[str, str]], Reply]:
    """Speak OpenML's protocol: pages by offset, and past the last of them its own error."""
    starts = {sum(map(len, pages[:n])): content for n, content in enumerate(pages)}

    def respond(path: str, _: dict[str, str]) -> Reply:
        found = re.fullmatch(r"/api/v1/json/data/list/limit/\d+/offset/(\d+)", path)
        assert found
        content = starts.get(int(found[1]))
        return as_json({"data": {"dataset": content}}) if content else NOTHING

    return respond


# --- the protocols ---------------------------------------------------------------------------------------------------


def test_the_hub_is_read_by_its_links(serve: Callable[..., Service]) -> None:
    """Pages follow the ``Link`` header to the end, in order; of the link the query counts, so that a mirror stays."""
    pages = [
        [
            {
                "id": "bees/hives",
                "description": "\n\tWeights of\n hives",
                "tags": ["license:cc0-1.0", "task_categories:time-series-forecasting", "region:us"],
            },
            {"id": "frogs"},
        ],
        [{"id": "x/stones", "description": None, "tags": "odd"}],
    ]

    def respond(path: str, query: dict[str, str]) -> Reply:
        assert path == "/hf/api/datasets"
        if "cursor" in query:
            return as_json(pages[1], Link='<https://huggingface.co/api/datasets?limit=2>; rel="prev"')
        assert query["sort"] == "downloads"
        return as_json(pages[0], Link='<https://huggingface.co/api/datasets?limit=2&cursor=ab%3D%3D>; rel="next"')

    service = serve(respond)
    found = list(Hub(f"{service.url}/hf", QUICK).rows())
    assert found == [
        Row(
            id="hub:bees/hives",
            name="hives",
            about="Weights of hives. For time series forecasting.",
            url="https://huggingface.co/datasets/bees/hives",
            source="Hugging Face Hub",
            licence="cc0-1.0",
            retrieved=TODAY,
        ),
        Row(
            id="hub:frogs",
            name="frogs",
            about="",
            url="https://huggingface.co/datasets/frogs",
            source="Hugging Face Hub",
            retrieved=TODAY,
        ),
        Row(
            id="hub:x/stones",
            name="stones",
            about="",
            url="https://huggingface.co/datasets/x/stones",
            source="Hugging Face Hub",
            retrieved=TODAY,
        ),
    ]
    assert service.asked[1] == "/hf/api/datasets?limit=2&cursor=ab%3D%3D"
    assert len(service.asked) == 2
    assert all(agent.startswith("originality-checker/") for agent in service.agents)


def test_openml_is_read_by_offset(serve: Callable[..., Service]) -> None:
    """Each page begins where the last one ended, until OpenML says that there are no results; the shape is told."""
    qualities = [
        {"name": "NumberOfInstances", "value": "1209.0"},
        {"name": "NumberOfFeatures", "value": "8.0"},
        {"name": "NumberOfNumericFeatures", "value": "odd"},
        {"name": "NumberOfClasses", "value": "-1"},
        None,
    ]
    service = serve(openml([dataset(561, quality=qualities), dataset(2)], [dataset(3, quality=7)]))
    found = list(OpenML(service.url, QUICK).rows())
    assert found[0] == Row(
        id="openml:561",
        name="table 561",
        about="A table of 1,209 rows, 8 columns.",
        url="https://www.openml.org/d/561",
        source="OpenML",
        retrieved=TODAY,
    )
    assert [(row.id, row.about) for row in found[1:]] == [("openml:2", ""), ("openml:3", "")]
    assert [path.rpartition("/")[2] for path in service.asked] == ["0", "2", "3"]


def test_another_error_of_openml_is_no_end(serve: Callable[..., Service]) -> None:
    """Only its code for an empty list ends the pages."""
    service = serve(lambda *_: Reply(b'{"error":{"code":"107","message":"Down"}}', 412))
    with pytest.raises(SourceUnusable, match=r"refused with its own error '107'; a list is needed, or 372"):
        list(OpenML(service.url, QUICK).rows())


@pytest.mark.parametrize("wrapped", [False, True])
def test_kaggle_is_read_by_page_number(wrapped: bool, serve: Callable[..., Service]) -> None:
    """Pages are counted up until one is empty or isn't there, be the list bare or wrapped, in either form of fields."""
    pages = {
        "1": [
            {"ref": "bee/hives", "title": "Hives", "subtitle": "Weights of hives", "licenseName": "CC0: Public Domain"},
            {"ref": "frog/calls", "title": "Calls", "subtitle": "", "description": "Frogs at night!"},
        ],
        "2": [{"ref": "a/stones", "title": False, "titleNullable": "Stones", "subtitle": None}],
    }

    def respond(path: str, query: dict[str, str]) -> Reply:
        assert (path, query["sortBy"]) == ("/api/v1/datasets/list", "votes")
        found = pages.get(query["page"], [])
        if wrapped and not found:
            return Reply(status=404)
        return as_json({"datasets": found, "nextPageToken": ""} if wrapped else found)

    service = serve(respond)
    found = list(Kaggle(service.url, QUICK).rows())
    assert found[0] == Row(
        id="kaggle:bee/hives",
        name="Hives",
        about="Weights of hives.",
        url="https://www.kaggle.com/datasets/bee/hives",
        source="Kaggle",
        licence="CC0: Public Domain",
        retrieved=TODAY,
    )
    assert [(row.name, row.about) for row in found[1:]] == [("Calls", "Frogs at night!"), ("Stones", "")]
    assert len(service.asked) == 3


def test_tfds_is_read_by_its_contents(serve: Callable[..., Service]) -> None:
    """Every set of the contents is read once, in the order of names, with its themes and its own description."""
    toc = """
toc:
- path: /datasets/catalog/overview
- section:
  - {path: /datasets/catalog/stones, title: stones (manual)}
  - {path: /datasets/catalog/bees, title: bees}
  - {path: /elsewhere/frogs}
  title: Image
- section:
  - {path: /datasets/catalog/bees, title: bees}
  title: Audio
"""
    bees = '<meta itemprop="name" content="bees" /><meta itemprop="description" content="Bees &amp; hives.&#10;&#10;To use this dataset:&#10;..." />'  # noqa: E501  one line of such a page
    pages = {"/_toc.yaml": toc, "/bees.md": bees}
    service = serve(lambda path, _: Reply(pages[path].encode()) if path in pages else Reply(status=404))
    found = list(TFDS(service.url, QUICK).rows())
    assert found == [
        Row(
            id="tfds:bees",
            name="bees",
            about="Bees & hives. Filed under image, audio.",
            url="https://www.tensorflow.org/datasets/catalog/bees",
            source="TensorFlow Datasets",
            retrieved=TODAY,
        ),
        Row(
            id="tfds:stones",
            name="stones",
            about="Filed under image.",
            url="https://www.tensorflow.org/datasets/catalog/stones",
            source="TensorFlow Datasets",
            retrieved=TODAY,
        ),
    ]
    assert service.asked == ["/_toc.yaml", "/bees.md", "/stones.md"]


def test_tfds_goes_on_behind_a_name(serve: Callable[..., Service]) -> None:
    """A place is a name, so that sets that were added since are not lost and none is read again."""
    names = [f"set_{n:02}" for n in range(45)]
    entries = "\n".join(f"  - path: /datasets/catalog/{name}" for name in names)
    toc = f"toc:\n- title: Text\n  section:\n{entries}\n"
    service = serve(lambda path, _: Reply(toc.encode()) if path == "/_toc.yaml" else Reply(status=404))
    source = TFDS(service.url, QUICK)
    places = [one.after for one in source.pages()]
    assert places == ["set_19", "set_39", "set_44", None]
    assert [row.name for one in source.pages("set_39") for row in one.rows] == names[40:]


def test_rdatasets_is_read_from_its_index(serve: Callable[..., Service]) -> None:
    """One CSV file; what isn't known of a table isn't said."""
    index = (
        '"Package","Item","Title","Rows","Cols","CSV","Doc"\n'
        '"AER","Affairs","Fair\'s Data, 1978",601,9,"https://example.org/a.csv","https://example.org/a.html"\n'
        '"MASS","cats","Cats",NA,NA,"",""\n'
    )
    service = serve(lambda *_: Reply(index.encode()))
    found = list(Rdatasets(service.url, QUICK).rows())
    assert found == [
        Row(
            id="rdatasets:AER/Affairs",
            name="Affairs",
            about="Fair's Data, 1978. In R's package AER, with 601 rows and 9 columns.",
            url="https://example.org/a.html",
            source="Rdatasets",
            retrieved=TODAY,
        ),
        Row(
            id="rdatasets:MASS/cats",
            name="cats",
            about="Cats. In R's package MASS.",
            url="https://vincentarelbundock.github.io/Rdatasets/doc/MASS/cats.html",
            source="Rdatasets",
            retrieved=TODAY,
        ),
    ]
    assert service.asked == ["/datasets.csv"]


def test_scikit_learn_is_read_as_installed() -> None:
    """Every loader that describes its data is a row with the title; tools that load anything are none."""
    found = {row.name: row for row in Sklearn().rows()}
    assert found["load_iris"] == Row(
        id="sklearn:load_iris",
        name="load_iris",
        about="Iris plants dataset. A loader of scikit-learn brings it.",
        url="https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_iris.html",
        source="scikit-learn",
        retrieved=TODAY,
    )
    assert found["load_wine"].about.startswith("Wine recognition dataset.")
    assert found["fetch_lfw_people"].about.startswith("The Labeled Faces in the Wild")
    assert found["fetch_species_distributions"].about.startswith("Species distribution dataset.")
    assert not {"fetch_openml", "load_files", "make_moons", "clear_data_home"} & found.keys()


def test_files_give_their_rows_with_their_origin(tmp_path: Path, tiny: Catalogue) -> None:
    """What a row doesn't say of its origin is added; what it says stays."""
    lines = [
        {"id": "b", "name": "Hives", "about": "x"},
        {"id": "c", "name": "Frogs", "source": "Pond", "retrieved": "1"},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    made = gather("files", tmp_path / "out.parquet", base_url=str(tmp_path / "in.jsonl"), catalogue=tiny)
    assert made == Summary(rows=2, known=0, skipped=0)
    assert corpus.rows([tmp_path / "out.parquet"]) == [
        Row("b", "Hives", "x", source="in.jsonl", retrieved=TODAY),
        Row("c", "Frogs", "", source="Pond", retrieved="1"),
    ]


def test_a_folder_of_readmes_is_a_source(tmp_path: Path, tiny: Catalogue) -> None:
    """Each text is a row, and a file that can't be read says so."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.md").write_text("# Letters\n\nStreets.", encoding="utf-8")
    made = gather("files", tmp_path / "out.parquet", base_url=str(tmp_path / "in"), catalogue=tiny)
    assert made == Summary(rows=1, known=1, skipped=0)
    with pytest.raises(FileUnreadable, match="There is no"):
        gather("files", tmp_path / "out.parquet", base_url=str(tmp_path / "gone"), catalogue=tiny)


# --- patience --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says(status: int, serve: Callable[..., Service]) -> None:
    """No attempt comes before the seconds of ``Retry-After`` are over, and then the page is read."""
    service = serve(in_turn(Reply(status=status, headers={"Retry-After": "3"}), as_json([1])))
    pauses: list[float] = []
    with Web(service.url, QUICK, pauses.append) as web:
        assert web.get("/list").json() == [1]
    assert pauses == [3.0]


def test_a_date_is_a_retry_after_too(serve: Callable[..., Service]) -> None:
    """A moment in the future is waited for, one in the past or without sense isn't."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    tries = [Reply(status=503, headers={"Retry-After": value}) for value in (soon, past, "-5", "soon")]
    service = serve(in_turn(*tries, as_json([1])))
    pauses: list[float] = []
    with Web(service.url, Limits(attempts=9, pause_s=0.001), pauses.append) as web:
        web.get("/list")
    assert 2 < pauses[0] <= 4
    assert max(pauses[1:]) < 0.1


def test_the_waits_double_and_differ(serve: Callable[..., Service]) -> None:
    """Each wait is between half and the whole of twice the one before, and never more than the longest."""
    service = serve(lambda *_: Reply(status=500))
    pauses: list[float] = []
    limits = Limits(attempts=6, pause_s=1, longest_pause_s=6)
    with Web(service.url, limits, pauses.append) as web, pytest.raises(SourceUnusable):
        web.get("/list")
    assert all(whole / 2 <= pause <= whole for pause, whole in zip(pauses, [1, 2, 4, 6, 6], strict=True))
    assert len(set(pauses)) == 5


def test_a_service_that_stays_busy_is_given_up(serve: Callable[..., Service]) -> None:
    """After the last attempt one sentence says what was found and that a later run goes on."""
    service = serve(lambda *_: Reply(status=503))
    with pytest.raises(SourceUnusable) as failed:
        list(OpenML(service.url, QUICK).rows())
    assert len(service.asked) == 3
    assert "answered 503 Service Unavailable, at the last of 3 attempts" in str(failed.value)
    assert "run the command again later" in str(failed.value)


def test_a_wait_that_is_too_long_is_not_begun(serve: Callable[..., Service]) -> None:
    """Whoever asks for an hour gets an error that says so, at once."""
    service = serve(lambda *_: Reply(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(SourceUnusable, match=r"429 Too Many Requests and asks to wait 3,600 s; at most 5 s are waited"):
        list(Kaggle(service.url, QUICK).rows())
    assert len(service.asked) == 1


def test_a_page_that_is_not_there_is_not_asked_for_again(serve: Callable[..., Service]) -> None:
    """What the client did wrong stays wrong: one attempt, and the status."""
    service = serve(lambda *_: Reply(status=404))
    with pytest.raises(SourceUnusable, match=r"answered 404 Not Found; 200 is needed\. Check the address"):
        list(Rdatasets(service.url, QUICK).rows())
    assert len(service.asked) == 1


def test_a_silent_service_times_out(serve: Callable[..., Service]) -> None:
    """Silence has an end, and so have the attempts."""
    quiet = threading.Event()

    def respond(*_: Any) -> Reply:
        quiet.wait(20)
        return as_json([])

    service = serve(respond)
    begun = time.monotonic()
    with pytest.raises(SourceUnusable, match=r"was silent for longer than 0\.2 s, at the last of 2 attempts"):
        list(Kaggle(service.url, Limits(attempts=2, pause_s=0.001, step_s=0.2)).rows())
    quiet.set()
    assert time.monotonic() - begun < 10
    assert len(service.asked) == 2


def test_a_trickling_service_times_out(serve: Callable[..., Service]) -> None:
    """An answer that comes steadily, byte by byte, is cut off by the clock all the same."""
    enough = threading.Event()

    def drops() -> Iterator[bytes]:
        while not enough.wait(0.02):
            yield b" "

    service = serve(lambda *_: Reply(drops()))
    with pytest.raises(SourceUnusable, match=r"took longer than 0\.5 s, at the last of 2 attempts"):
        list(Kaggle(service.url, Limits(attempts=2, pause_s=0.001, step_s=5, total_s=0.5)).rows())
    enough.set()


def test_nobody_there_is_said(serve: Callable[..., Service]) -> None:
    """A closed port is one sentence."""
    with running(lambda *_: Reply()) as gone:
        url = gone.url
    with pytest.raises(SourceUnusable, match=r"can't be reached, at the last of 3 attempts"):
        list(Kaggle(url, QUICK).rows())


# --- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [Hub, Kaggle, OpenML, Rdatasets, TFDS])
def test_a_web_page_instead_of_data_is_named(source: Callable[..., Any], serve: Callable[..., Service]) -> None:
    """A sign-in page with status 200 is an error that calls it a web page."""
    service = serve(lambda *_: Reply(b"\n<!DOCTYPE html><html><body>Sign in</body></html>"))
    with pytest.raises(SourceUnusable, match=r"answered with a web page \(HTML\) where (JSON|a text) is needed"):
        list(source(service.url, QUICK).rows())


def test_half_an_answer_is_no_json(serve: Callable[..., Service]) -> None:
    """Bytes that break off are told from a web page."""
    service = serve(lambda *_: Reply(b'[{"ref": "a/b", "ti'))
    with pytest.raises(SourceUnusable, match=r"answered with 19 bytes that are not JSON, perhaps cut off"):
        list(Kaggle(service.url, QUICK).rows())


def test_an_endless_body_is_cut_off(serve: Callable[..., Service]) -> None:
    """Without a length, reading stops at the limit."""
    service = serve(lambda *_: Reply(repeat(b"x" * 10_000)))
    with pytest.raises(SourceUnusable, match=r"is larger than the 100,000 bytes that are read of one page"):
        list(Kaggle(service.url, QUICK).rows())
    time.sleep(0.1)
    assert service.sent < 50_000_000  # what fits into the buffers of the connection, and not on and on


def test_a_lying_length_changes_nothing(serve: Callable[..., Service]) -> None:
    """Too large a body is cut off when it claims more than it has; one that ends before its length is no answer."""
    body = b"x" * 200_000
    service = serve(lambda *_: Reply(repeat(body), headers={"Content-Length": "9999999999"}))
    with pytest.raises(SourceUnusable, match="is larger than the 100,000 bytes"):
        list(Kaggle(service.url, QUICK).rows())
    service = serve(lambda *_: Reply(b"[]", headers={"Content-Length": "9999"}))
    with pytest.raises(SourceUnusable, match=r"broke the connection off \(RemoteProtocolError\)"):
        list(Kaggle(service.url, QUICK).rows())
    assert len(service.asked) == 3


def test_a_packed_body_counts_unpacked(serve: Callable[..., Service]) -> None:
    """A thousand bytes that stand for a million are too many; a small packed answer is read."""
    packed = {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * 1_000_000)
    assert len(bomb) < 2_000
    service = serve(lambda *_: Reply(bomb, headers=packed))
    with pytest.raises(SourceUnusable, match="is larger than the 100,000 bytes"):
        list(Kaggle(service.url, QUICK).rows())
    service = serve(lambda *_: Reply(gzip.compress(b"[]"), headers=packed))
    assert list(Kaggle(service.url, QUICK).rows()) == []
    for headers, body, error in (
        (packed, b"[]", "says that it is gzip"),
        ({"Content-Encoding": "br"}, b"", "only gzip"),
    ):
        service = serve(lambda *_, headers=headers, body=body: Reply(body, headers=headers))
        with pytest.raises(SourceUnusable, match=error):
            list(Kaggle(service.url, QUICK).rows())


def test_a_redirect_elsewhere_is_refused(serve: Callable[..., Service]) -> None:
    """Another port is another service: it is named, and never asked."""
    other = serve(lambda *_: as_json([]))
    service = serve(lambda *_: Reply(status=302, headers={"Location": f"{other.url}/list"}))
    with pytest.raises(SourceUnusable, match=r"redirects to another host \(.+/list\), which is not followed"):
        list(Kaggle(service.url, QUICK).rows())
    assert other.asked == []


def test_a_redirect_within_the_service_is_followed(serve: Callable[..., Service]) -> None:
    """A page that has moved is found; one that moves for ever isn't."""
    service = serve(lambda path, _: as_json([]) if path == "/new" else Reply(status=301, headers={"Location": "/new"}))
    assert list(Kaggle(service.url, QUICK).rows()) == []
    service = serve(lambda *_: Reply(status=301, headers={"Location": "/again"}))
    with pytest.raises(SourceUnusable, match="redirects more than 5 times"):
        list(Kaggle(service.url, QUICK).rows())


@pytest.mark.parametrize("base", ["", "ftp://example.org", "example.org", "https://a:b@example.org", "https://x/?q=1"])
def test_a_base_address_is_a_web_address(base: str) -> None:
    """Anything else is refused before something is sent."""
    with pytest.raises(BadInput, match="The base address"):
        Web(base)


# --- changed forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "answer", "error"),
    [
        (Hub, [{"name": "a/b"}, {"name": "a/c"}], "none of 2 items has the field 'id'"),
        (Hub, {"datasets": []}, "a JSON dict where a list is needed"),
        (Kaggle, [{"ref": "a/b", "name": "x"}], "none of 1 items has the field 'title'"),
        (Kaggle, {"items": []}, "a JSON dict where a list is needed"),
        (OpenML, {"data": {"dataset": [{"id": 7, "name": "x"}]}}, "none of 1 items has the field 'did'"),
        (OpenML, {"data": {"sets": []}}, "the field 'dataset' is missing"),
        (OpenML, {"datasets": []}, "the field 'data' is missing"),
        (OpenML, {"data": {"dataset": {}}}, "a JSON dict where a list is needed"),
        (TFDS, {"contents": []}, "the field 'toc' is missing"),
        (TFDS, {"toc": [{"section": [{"url": "/x"}]}, 7]}, "names no data set"),
    ],
)
def test_a_changed_field_is_named(
    source: Callable[..., Any], answer: Any, error: str, serve: Callable[..., Service]
) -> None:
    """A source that has changed its form is an error that names the field, never an empty result."""
    service = serve(lambda *_: as_json(answer))
    with pytest.raises(SourceUnusable, match=error):
        list(source(service.url, QUICK).rows())


def test_a_changed_column_is_named(serve: Callable[..., Service]) -> None:
    """A column that is called otherwise is missing, and the error names it."""
    service = serve(lambda *_: Reply(b"Package,Dataset,Title\nAER,Affairs,Data\n"))
    with pytest.raises(SourceUnusable, match=r"none of 1 items has the field 'Item'.*Nothing of this page was taken"):
        list(Rdatasets(service.url, QUICK).rows())


def test_lone_odd_items_are_skipped_and_counted(serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue) -> None:
    """One item without an id, one that is no object, one with half a character: the others are taken."""
    odd: list[Any] = [{"name": "x"}, None, 7, dataset(2, name="\ud800"), dataset(3, name="n" * 501), {"did": True}]
    service = serve(openml([dataset(1), *odd, dataset(9)]))
    told: list[str] = []
    made = gather("openml", tmp_path / "o.parquet", base_url=service.url, catalogue=tiny, tell=told.append)
    assert made == Summary(rows=2, known=0, skipped=6)
    assert [row.id for row in corpus.rows([tmp_path / "o.parquet"])] == ["openml:1", "openml:9"]
    assert told[0] == "openml: 2 rows, 6 items skipped"


# --- gathering -------------------------------------------------------------------------------------------------------


def test_a_table_has_the_rows_and_what_is_known(serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue) -> None:
    """All columns are texts, in the source's order; a name or alias of the curated catalogue gives its entry's id."""
    names = ["Hives", "LETTERS", "pebble_dataset", "stones", "Sort your pebbles", "RulerClassifier"]
    service = serve(openml([dataset(n, name=name) for n, name in enumerate(names)]))
    made = gather("openml", tmp_path / "deep" / "o.parquet", base_url=service.url, catalogue=tiny)
    table = pq.read_table(tmp_path / "deep" / "o.parquet")
    assert table.column_names == [*FIELDS, "known"]
    assert table["name"].to_pylist() == names
    assert table["known"].to_pylist() == ["", "letters", "pebbles", "", "", "ruler"]
    assert made == Summary(rows=6, known=3, skipped=0)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["o.parquet"]


def test_an_address_is_known_in_any_form(tiny: Catalogue) -> None:
    """Scheme, www, case and the last slash tell nothing apart; the path does."""
    table = known.table(tiny)
    for url in ("http://example.org/log", "https://www.Example.org/log/"):
        assert known.find(table, Row("1", "Anything", "", url=url)) == "alt-harbour-log"
    assert known.find(table, Row("1", "Anything", "", url="https://example.org/log/2")) == ""
    assert known.find(table, Row("1", "...", "")) == ""


def test_what_stands_twice_is_taken_once(serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue) -> None:
    """Of two rows with one id or one address the first stays, within a page and across pages."""
    first, again = dataset(1, name="first"), dataset(1, name="again")
    service = serve(openml([first, again, dataset(2)], [again, dataset(3), dataset(2)]))
    told: list[str] = []
    made = gather("openml", tmp_path / "o.parquet", base_url=service.url, catalogue=tiny, tell=told.append)
    assert [row.name for row in corpus.rows([tmp_path / "o.parquet"])] == ["first", "table 2", "table 3"]
    assert made == Summary(rows=3, known=0, skipped=0)
    assert told[-1].endswith("0 of them known; 3 stood there twice")
    lines = [{"id": n, "name": f"n{n}", "url": "https://example.org/x"} for n in (1, 2)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    made = gather("files", tmp_path / "f.parquet", base_url=str(tmp_path / "in.jsonl"), catalogue=tiny)
    assert made.rows == 1


def test_a_source_that_does_not_page_is_left(serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue) -> None:
    """A mirror that gives the same page for every number isn't asked for ever."""
    service = serve(lambda *_: as_json([{"ref": "a/b", "title": "x"}]))
    with pytest.raises(SourceUnusable, match="kaggle gave 3 pages in a row without a new row"):
        gather("kaggle", tmp_path / "o.parquet", base_url=service.url, catalogue=tiny)
    assert len(service.asked) == 4


def test_a_limit_ends_the_reading(serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue) -> None:
    """No page is fetched past the limit, and the table has just so many rows."""
    service = serve(openml([dataset(1), dataset(2)], [dataset(3), dataset(4)], [dataset(5)]))
    made = gather("openml", tmp_path / "o.parquet", base_url=service.url, limit=3, catalogue=tiny)
    assert made == Summary(rows=3, known=0, skipped=0)
    assert len(service.asked) == 2
    with pytest.raises(BadInput, match="at least 1"):
        gather("openml", tmp_path / "o.parquet", base_url=service.url, limit=0, catalogue=tiny)


def test_an_empty_source_makes_no_file(serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue) -> None:
    """No row at all is an error, an older file stays, and nothing else is left."""
    (tmp_path / "o.parquet").write_bytes(b"old")
    service = serve(lambda *_: as_json([]))
    with pytest.raises(SourceUnusable, match=r"kaggle has given no row \(0 items were none\)"):
        gather("kaggle", tmp_path / "o.parquet", base_url=service.url, catalogue=tiny)
    assert (tmp_path / "o.parquet").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["o.parquet"]


def test_what_can_not_be_is_refused(tmp_path: Path) -> None:
    """An unknown source, a wrong ending, an address where there is none, and none where one is needed."""
    for name, output, base, error in (
        ("uci", "o.parquet", "", "There is no source 'uci'. Known: files, hub, kaggle"),
        ("sklearn", "o.csv", "", "ends in .parquet"),
        ("sklearn", "o.parquet", "https://example.org", "has no address"),
        ("files", "o.parquet", "", "needs the path"),
    ):
        with pytest.raises(BadInput, match=re.escape(error)):
            gather(name, tmp_path / output, base_url=base)
    assert list(tmp_path.iterdir()) == []
    assert {name: harvest.source(name, "x" if name == "files" else "").name for name in harvest.SOURCES} == {
        name: name for name in harvest.SOURCES
    }


def test_a_place_that_no_page_has_named_is_refused() -> None:
    """A partial file that somebody has changed doesn't lead anywhere."""
    for source, place in ((Hub(), "x"), (OpenML(), "x"), (Kaggle(), "-1"), (TFDS(), "../x")):
        with pytest.raises(SourceUnusable, match="can't go on from the place"):
            next(source.pages(place))


def test_a_disk_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    """A folder that is a file is said, and no traceback is shown."""
    (tmp_path / "in").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="can't be written"):
        gather("sklearn", tmp_path / "in" / "o.parquet")


# --- broken off, and gone on with ------------------------------------------------------------------------------------

PAGES = [[dataset(3 * n + k) for k in range(3)] for n in range(5)]
WANTED = [f"openml:{n}" for n in range(15)]


def offsets(service: Service) -> list[int]:
    """Give the offsets that were asked for."""
    return [int(path.rpartition("/")[2]) for path in service.asked]


def test_a_killed_run_goes_on_after_its_last_whole_page(
    serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue
) -> None:
    """Killed awaiting the third page, then run again: the first two aren't asked for, no row is lost or doubled."""
    reached, go_on = threading.Event(), threading.Event()
    answer = openml(*PAGES)

    def respond(path: str, query: dict[str, str]) -> Reply:
        if path.endswith("/6") and not go_on.is_set():
            reached.set()
            go_on.wait(30)
        return answer(path, query)

    service = serve(respond)
    output = tmp_path / "o.parquet"
    code = (
        "import sys, pathlib; from app.harvest.gather import gather; "
        "gather('openml', pathlib.Path(sys.argv[1]), base_url=sys.argv[2])"
    )
    with subprocess.Popen([sys.executable, "-c", code, output, service.url], cwd=ROOT) as run:
        assert reached.wait(30)
        run.kill()
    go_on.set()
    partial = tmp_path / "o.parquet.partial.jsonl"
    assert not output.exists()
    with partial.open("ab") as stream:  # what a kill in the middle of writing leaves
        stream.write(json.dumps(dict.fromkeys(FIELDS, "x")).encode() + b'\n{"id": "openml:7", "na')
    told: list[str] = []
    service.asked.clear()
    made = gather("openml", output, base_url=service.url, catalogue=tiny, tell=told.append)
    assert told[0] == "openml: going on after 6 rows"
    assert offsets(service) == [6, 9, 12, 15]
    assert [row.id for row in corpus.rows([output])] == WANTED
    assert made == Summary(rows=15, known=0, skipped=0)
    assert [path.name for path in tmp_path.iterdir()] == ["o.parquet"]


@pytest.mark.parametrize("cut", range(0, 1400, 37))
def test_a_partial_file_cut_anywhere_gives_the_same_table(cut: int, tmp_path: Path) -> None:
    """Whatever of the progress is lost, all that is taken for done is done, and nothing stands twice."""
    pages = [page.Page(tuple(Row(f"{n}{k}", f"row {n}", "é") for k in "ab"), 1, str(n + 1)) for n in range(4)]
    output, begun = tmp_path / "o.parquet", {"source": "x"}
    with Partial(output, begun) as partial:
        for one in pages:
            partial.add(one)
    whole = partial.path.read_bytes()
    partial.path.write_bytes(whole[:cut])
    with Partial(output, begun) as partial:
        done = int(partial.after or 0)
        assert (partial.rows, partial.skipped) == (2 * done, done)
        for one in pages[done:]:
            partial.add(one)
    assert partial.path.read_bytes() == whole


def test_a_failed_run_keeps_what_it_has(serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue) -> None:
    """A fault on the way leaves the pages before it, skipped items counted; the next run reads the rest alone."""
    broken = threading.Event()
    answer = openml([*PAGES[0], {}], *PAGES[1:])
    service = serve(lambda *asked: Reply(b"<html>") if broken.is_set() and "/4" in asked[0] else answer(*asked))
    broken.set()
    with pytest.raises(SourceUnusable, match="web page"):
        gather("openml", tmp_path / "o.parquet", base_url=service.url, catalogue=tiny)
    broken.clear()
    service.asked.clear()
    made = gather("openml", tmp_path / "o.parquet", base_url=service.url, catalogue=tiny)
    assert made == Summary(rows=15, known=0, skipped=1)
    assert offsets(service)[0] == 4


def test_a_run_that_died_while_finishing_asks_for_nothing(
    serve: Callable[..., Service], tmp_path: Path, tiny: Catalogue
) -> None:
    """When all pages are there, only the table is written; what the dead run left of its own is swept away."""
    output = tmp_path / "o.parquet"
    with Partial(output, {"source": "kaggle", "base_url": "http://127.0.0.1:1"}) as partial:
        partial.add(page.Page((Row("1", "Letters", ""),), 2, None))
    (tmp_path / ".o.parquet.new" / "cache").mkdir(parents=True)
    made = gather("kaggle", output, base_url="http://127.0.0.1:1", catalogue=tiny)
    assert made == Summary(rows=1, known=1, skipped=2)
    assert [path.name for path in tmp_path.iterdir()] == ["o.parquet"]


def test_progress_of_something_else_is_not_mixed_in(tmp_path: Path) -> None:
    """Another source, another address or a foreign file: the error says what to remove, and nothing is touched."""
    output = tmp_path / "o.parquet"
    with Partial(output, {"source": "hub", "base_url": ""}) as partial:
        partial.add(page.Page((Row("1", "a", ""),), 0, "x=1"))
    for content in (partial.path.read_bytes(), b"mine\n", b"mine"):
        partial.path.write_bytes(content)
        with pytest.raises(BadInput, match=r"o\.parquet\.partial\.jsonl was begun for something else.*remove it"):
            gather("sklearn", output)
        assert partial.path.read_bytes() == content


def test_two_runs_do_not_write_into_one_file(tmp_path: Path) -> None:
    """The second is told to wait, and the first goes on undisturbed."""
    output = tmp_path / "o.parquet"
    partial = tmp_path / "o.parquet.partial.jsonl"
    with partial.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="Another run is gathering into"):
            gather("sklearn", output)
    assert partial.read_bytes() == b""
