"""Keys: only hashes are kept, an end is an end, and who may not do a thing learns nothing of it."""

from __future__ import annotations

import datetime as dt
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import keys
from app.errors import AccessDenied, BadInput, KeysUnusable
from app.keys import Key

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_opens_what_it_was_made_for(tmp_path: Path) -> None:
    """Reading is reading, writing includes it, and other collections stay closed."""
    key = keys.add(tmp_path / "keys.json", "hr", {"past": "read", "drafts": "write"})
    found = keys.identify(keys.load(tmp_path / "keys.json"), key)
    assert found.name == "hr"
    allowed = [(r, c) for r in ("read", "write") for c in ("past", "drafts", "other") if found.may(r, c)]
    assert allowed == [("read", "past"), ("read", "drafts"), ("write", "drafts")]
    keys.admit(found, "read", "past")
    with pytest.raises(AccessDenied, match="no such collection, or this key may not"):
        keys.admit(found, "write", "past")


def test_only_the_hash_is_kept_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The key stands nowhere on the disk, and the file is closed to others."""
    file = tmp_path / "deep" / "keys.json"
    key = keys.add(file, "hr", {"*": "read"})
    assert key not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["keys.json"]


def test_a_new_key_of_a_name_ends_the_old_one(tmp_path: Path) -> None:
    """Making a key anew replaces it; removing it ends it; the others stay."""
    file = tmp_path / "keys.json"
    other = keys.add(file, "other", {"*": "write"})
    old, new = keys.add(file, "hr", {"past": "read"}), keys.add(file, "hr", {"past": "read"})
    with pytest.raises(AccessDenied, match="valid key"):
        keys.identify(keys.load(file), old)
    assert keys.identify(keys.load(file), new).name == "hr"
    keys.remove(file, "hr")
    with pytest.raises(AccessDenied, match="valid key"):
        keys.identify(keys.load(file), new)
    assert keys.identify(keys.load(file), other).may("write", "anything")
    with pytest.raises(BadInput, match="no key of that name"):
        keys.remove(file, "hr")


def test_the_last_day_is_the_last(tmp_path: Path) -> None:
    """A key works on its last day and not on the next, with the words of a wrong one."""
    key = keys.add(tmp_path / "keys.json", "hr", {"past": "read"}, "2027-01-31")
    known = keys.load(tmp_path / "keys.json")
    assert keys.identify(known, key, dt.date(2027, 1, 31)).expires == "2027-01-31"
    with pytest.raises(AccessDenied) as ended:
        keys.identify(known, key, dt.date(2027, 2, 1))
    with pytest.raises(AccessDenied) as wrong:
        keys.identify(known, "ok_guess")
    assert str(ended.value) == str(wrong.value)


def test_a_last_day_may_be_written_in_any_iso_form(tmp_path: Path) -> None:
    """Without hyphens or as a week's day it is the same day, and the key ends with it."""
    for until in ("20270131", "2027-W04-7"):
        key = keys.add(tmp_path / "keys.json", "hr", {"past": "read"}, until)
        known = keys.load(tmp_path / "keys.json")
        assert keys.identify(known, key, dt.date(2027, 1, 31)).expires == "2027-01-31"
        with pytest.raises(AccessDenied):
            keys.identify(known, key, dt.date(2027, 2, 1))


@given(st.text(max_size=60))
def test_nothing_else_is_a_key(given_: str) -> None:
    """Whatever is sent, surrogates and nothing included, is no key unless it is the key."""
    with pytest.raises(AccessDenied):
        keys.identify((Key("hr", "0" * 64, {"*": "write"}),), given_)


@pytest.mark.parametrize("right", ["past", "own:past", "read:", "", "READ:past"])
def test_a_right_has_one_form(right: str) -> None:
    """What isn't read:NAME or write:NAME is refused with the form."""
    with pytest.raises(BadInput, match="read:COLLECTION or write:COLLECTION"):
        keys.rights([right])


@pytest.mark.parametrize(("name", "rights", "until"), [(" ", ["read:x"], ""), ("a", [], ""), ("a", ["read:x"], "soon")])
def test_a_key_needs_a_name_a_right_and_a_date(name: str, rights: list[str], until: str, tmp_path: Path) -> None:
    """What is missing is said, and nothing is written."""
    with pytest.raises(BadInput, match=r"needs a name and at least one right|is a date such as"):
        keys.add(tmp_path / "keys.json", name, keys.rights(rights), until)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"7",
        b"[7]",
        b'[{"name": "a"}]',
        b'[{"name": "a", "sha256": "", "rights": {"x": "own"}, "expires": ""}]',
        b'[{"name": "a", "sha256": "", "rights": {}, "expires": "soon"}]',
        b"\xff\xfe",
    ],
)
def test_a_damaged_file_lets_nobody_in(data: bytes, tmp_path: Path) -> None:
    """It's an error that says what to do; making a key doesn't overwrite it."""
    file = tmp_path / "keys.json"
    file.write_bytes(data)
    with pytest.raises(KeysUnusable, match=r"keys\.json can't be read as keys"):
        keys.load(file)
    with pytest.raises(KeysUnusable):
        keys.add(file, "hr", {"*": "read"})
    assert file.read_bytes() == data


def test_without_a_file_there_is_no_key(tmp_path: Path) -> None:
    """Nobody is let in where no key was ever made."""
    assert keys.load(tmp_path / "keys.json") == ()
