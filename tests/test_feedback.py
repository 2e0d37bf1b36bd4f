"""Notes that readers leave: kept with consent alone, readable and deletable by their token alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from app import feedback
from app.api import create_app
from app.described import EXAMPLES
from app.errors import BoxFull
from app.feedback import Box

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.settings import Settings

NOTE = {"verdict": "well_worn", "wished": "original", "comment": "My own <b>bees</b>", "text": "An idea of mine"}


def test_a_note_is_found_by_its_token_alone(tmp_path: Path) -> None:
    """What was put is got back; the folder doesn't hold the token; another token, or a path, finds nothing."""
    box = Box(tmp_path / "notes")
    token = box.put("proposal", {"name": "Bees"})
    note = box.get(token)
    assert note
    assert (note["kind"], note["name"]) == ("proposal", "Bees")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", note["day"])
    (file,) = (tmp_path / "notes").iterdir()
    assert token not in file.name + file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert box.get("../" + file.stem) is None
    assert box.get(file.stem) is None


def test_a_note_is_deleted_for_good(tmp_path: Path) -> None:
    """After deleting nothing of it is left, and deleting it again says so."""
    box = Box(tmp_path)
    token = box.put("proposal", {"name": "Bees"})
    assert box.drop(token)
    assert list(tmp_path.iterdir()) == []
    assert not box.drop(token)
    assert box.get(token) is None


def test_a_full_box_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody fills a disk through the page."""
    monkeypatch.setattr(feedback, "MOST_NOTES", 1)
    Box(tmp_path).put("proposal", {})
    with pytest.raises(BoxFull):
        Box(tmp_path).put("proposal", {})


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A read-only machine keeps no notes, and says what to do about it."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BoxFull, match="ORIGINALITY_FEEDBACK_DIR"):
        Box(tmp_path / "file" / "box").put("proposal", {})


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """Talk to a service whose notes go to a folder of the test's; no checker is needed to leave one."""
    bare = replace(settings, feedback_dir=tmp_path / "notes", index_dir=tmp_path / "none")
    with TestClient(create_app(bare)) as opened:
        yield opened


def test_nothing_is_kept_without_consent(client: TestClient, tmp_path: Path) -> None:
    """Whoever doesn't tick the box leaves nothing behind, and is told."""
    response = client.post("/feedback", data=NOTE)
    assert response.status_code == 422
    assert "Nothing was stored" in response.text
    assert not (tmp_path / "notes").exists()


def test_the_text_needs_a_consent_of_its_own(client: TestClient, tmp_path: Path) -> None:
    """The idea's text is kept only where that is allowed, too."""
    client.post("/feedback", data=NOTE | {"consent": "yes"})
    client.post("/feedback", data=NOTE | {"consent": "yes", "with_text": "yes"})
    notes = [json.loads(file.read_text()) for file in (tmp_path / "notes").iterdir()]
    assert sorted("text" in note for note in notes) == [False, True]
    assert {note["wished"] for note in notes} == {"original"}


def test_a_note_can_be_read_and_deleted_on_the_page(client: TestClient, tmp_path: Path) -> None:
    """The page shows all that is stored, escaped, and its button deletes it."""
    shown = client.post("/feedback", data=NOTE | {"consent": "yes"})
    assert "/feedback/" in shown.url.path
    assert "My own &lt;b&gt;bees" in shown.text
    deleted = client.post(f"{shown.url.path}/delete")
    assert "It is deleted." in deleted.text
    assert list((tmp_path / "notes").iterdir()) == []
    assert client.get(shown.url.path).status_code == 404


def test_an_entry_is_proposed(client: TestClient, tmp_path: Path) -> None:
    """A proposal is kept with its fields; one without a name, or without consent, comes back as it was typed."""
    proposal = {"kind": "dataset", "name": "Beehives", "url": "https://example.org/hives", "about": "Everyone's"}
    refused = client.post("/propose", data=proposal)
    assert refused.status_code == 422
    assert 'value="Beehives"' in refused.text
    assert client.post("/propose", data={"consent": "yes"}).status_code == 422
    client.post("/propose", data=proposal | {"consent": "yes", "kind": "nonsense"})
    (file,) = (tmp_path / "notes").iterdir()
    note = json.loads(file.read_text())
    assert (note["kind"], note["entry"], note["name"], note["about"]) == ("proposal", "", "Beehives", "Everyone's")


OVER_REST = "/api/v1/feedback"


def test_the_documented_notes_are_kept_over_rest(client: TestClient) -> None:
    """Each documented note is taken, read by its token as documented, and gone after it is deleted."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for shown in (one["value"] for one in examples[f"post {OVER_REST}"]["requests"].values()):
        token = client.post(OVER_REST, json=shown).json()["token"]
        note = client.get(f"{OVER_REST}/{token}").json()
        assert note["kind"] == shown["kind"]
        assert {k: v for k, v in note["said"].items() if v} == {k: shown[k] for k in shown if k not in _NOT_SAID}
        assert client.delete(f"{OVER_REST}/{token}").status_code == 204
        assert client.delete(f"{OVER_REST}/{token}").status_code == 404
        assert client.get(f"{OVER_REST}/{token}").status_code == 404
    answer = examples[f"get {OVER_REST}/{{token}}"]["answer"]
    assert answer == {**note, "day": answer["day"]}


_NOT_SAID = {"kind", "consent"}


@pytest.mark.parametrize("consent", [{}, {"consent": False}, {"consent": "yes"}])
def test_nothing_is_kept_over_rest_without_consent(
    client: TestClient, tmp_path: Path, consent: dict[str, object]
) -> None:
    """Consent is said outright, or nothing is stored and the answer names the field."""
    note = {"kind": "disagreement", "verdict": "well_worn", "wished": "original", **consent}
    refused = client.post(OVER_REST, json=note)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"][-1] == "consent"
    assert not (tmp_path / "notes").exists()


def test_over_rest_the_text_is_kept_only_if_it_is_sent(client: TestClient, tmp_path: Path) -> None:
    """A note without the text has no place for one."""
    note = {"kind": "disagreement", "verdict": "well_worn", "wished": "original", "consent": True}
    for body in (note, note | {"text": "An idea of mine"}):
        client.post(OVER_REST, json=body)
    notes = [json.loads(file.read_text()) for file in (tmp_path / "notes").iterdir()]
    assert sorted(note.get("text", "") for note in notes) == ["", "An idea of mine"]
    assert sorted("text" in note for note in notes) == [False, True]
