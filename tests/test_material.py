"""What stands in place of a typed text: files of every kind, links, and what is said of those that can't be read."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app import material
from app.errors import FileUnreadable
from app.material import LinkUnreadable, link_in, of_file, of_link
from app.settings import Fetching
from app.tongues import Tongue
from tests.local_service import Reply, running
from tests.materials import blank_pdf, fetching, notebook, repository, resume, told_pdf

if TYPE_CHECKING:
    from pathlib import Path

IDEA = "We weighed twelve hives."
LINK = "https://github.com/ana/bees"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", IDEA.encode()),
        ("idea.TXT", b"\xef\xbb\xbf" + IDEA.encode()),
        ("idea.txt", IDEA.encode("utf-16")),
        ("bees.ipynb", notebook(IDEA)),
        ("bees.pdf", told_pdf(IDEA)),
    ],
)
def test_a_file_gives_its_text(name: str, content: bytes) -> None:
    """Text, notebook and PDF give what stands in them, and say that it came from a file."""
    found = of_file(name, content)
    assert found.text.strip() == IDEA
    assert found.notices[0].code == "from-file"


def test_a_resume_gives_its_projects_numbered() -> None:
    """Only what stands below Projects is kept, a number before each project and before nothing else."""
    lines = of_file("Ana Abelha.docx", resume()).text.split("\n")
    assert [line for line in lines if line[:1].isdigit()] == ["1. Who survived the Titanic", "2. Rust on leaves"]
    assert lines.count("") == 1
    assert "- Fine-tuned a ResNet on them for a phone that the pickers use" in lines
    assert "grafting" not in " ".join(lines)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("Ana.exe", b"x", "Files of this kind aren't read here"),
        ("Ana", b"x", "Files of this kind aren't read here"),
        ("Ana.zip", b"x", "Files of this kind aren't read here"),
        ("Ana.md", b" \n", "The file is empty"),
        ("Ana.txt", b"https://example.org\n", "The file holds links alone"),
        ("Ana.pdf", blank_pdf("secret"), "The file is encrypted"),
        ("Ana.pdf", blank_pdf(), "The file has 1 pages and no text: it looks scanned"),
        ("Ana.pdf", b"%PDF-1.7 and no more", "The file is not a readable PDF"),
        ("Ana.docx", b"PK\x03\x04", "The file is not a readable DOCX"),
        ("Ana.docx", b"\xd0\xcf\x11\xe0 and more", "The file is encrypted, or an old .doc file"),
        ("Ana.ipynb", b"{}", "The file is no notebook"),
        ("Ana.txt", b"bees " * 100_000, "The file holds 500,000 characters of text, and at most"),
        ("Ana.txt", b"bees " * 2_000_001, "The file is larger than the 10 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, content: bytes, said: str) -> None:
    """Each trouble has its own words, which never repeat the file's name."""
    with pytest.raises(FileUnreadable) as caught:
        of_file(name, content)
    assert said in str(caught.value)
    assert "Ana" not in str(caught.value)


@pytest.mark.parametrize("content", [blank_pdf("secret"), blank_pdf()])
@pytest.mark.parametrize("language", ["es", "pt"])
def test_the_commonest_troubles_are_told_in_every_language(content: bytes, language: str) -> None:
    """An encrypted and a scanned PDF are told in the reader's language."""
    with pytest.raises(FileUnreadable) as caught:
        of_file("a.pdf", content)
    assert Tongue.open(language).can_say(str(caught.value))


def test_a_link_alone_is_a_link() -> None:
    """A link with a word beside it is a text."""
    assert link_in(f" {LINK}\n") == LINK
    assert link_in(f"See {LINK}") == link_in("") == link_in(f"{LINK}\n{LINK}") == ""


def test_a_project_is_fetched_and_kept_nowhere(tmp_path: Path) -> None:
    """A repository gives its README and its name; no answer of it is on the disk."""
    with running(repository(IDEA)) as host:
        found = of_link(LINK, replace(fetching(host), cache_dir=tmp_path / "pages"))
    assert (found.text, found.title) == (IDEA, "bees")
    assert found.notices[0].code == "from-link"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/ana/bees",
        "http://127.0.0.1/ana/bees",
        "https://github.com.example.org/ana/bees",
        "https://github.com@example.org/ana/bees",
        "https://example.org/github.com/ana/bees",
        "https://github.com/ana",
        "https://github.com/topics/bees",
        "https://gitlab.com/ana",
        "https://huggingface.co/datasets/bees",
        "https://huggingface.co/docs/hub",
        "https://www.kaggle.com/code/ana",
        "https://www.kaggle.com/competitions/titanic",
        "http://[",
    ],
)
def test_only_projects_are_fetched(link: str) -> None:
    """Any other place, and a whole user, are refused before anything is sent."""
    with pytest.raises(LinkUnreadable, match="doesn't lead to one project"):
        of_link(link, Fetching())


def test_links_can_be_turned_off() -> None:
    """Without a way to fetch, that is said."""
    with pytest.raises(LinkUnreadable, match="no links are followed here"):
        of_link(LINK, None)


def test_a_private_address_is_not_asked() -> None:
    """A host that is named as a service and resolves to this machine is asked only where it is allowed by name."""
    with running(repository(IDEA)) as host:
        with pytest.raises(LinkUnreadable, match="only public ones are"):
            of_link(LINK, replace(fetching(host), allowed_hosts=()))
        assert host.asked == []


def test_a_slow_host_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told within the time that a link may take, however slowly the answer comes."""
    monkeypatch.setattr(material, "LINK_S", 0.2)

    def slow(_: str, __: dict[str, str]) -> Reply:
        time.sleep(1)
        return Reply()

    with running(slow) as host, pytest.raises(LinkUnreadable, match="could not be fetched within"):
        of_link(LINK, fetching(host))


def test_a_missing_project_is_told() -> None:
    """What the host says of a repository that isn't there reaches the one who asked."""
    with running(repository(IDEA)) as host, pytest.raises(LinkUnreadable) as caught:
        of_link("https://github.com/ana/wasps", fetching(host))
    assert not str(caught.value).startswith("link:")
