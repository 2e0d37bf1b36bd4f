"""Names are hidden wherever they stand, whatever stands around them."""

from __future__ import annotations

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from app.screenings import people
from app.screenings.veil import veil
from app.wire import seconds

NAME = st.from_regex(r"[A-ZÀ-Þ][a-zà-öø-þ]{3,9}", fullmatch=True)
AROUND = st.text(max_size=40)
PLACEHOLDERS = {"name", "link", "email", "handle"}


@given(NAME, NAME, AROUND, AROUND, st.sampled_from([str, str.upper, str.lower]))
def test_a_name_can_not_be_read(first: str, last: str, before: str, after: str, written: type[str]) -> None:
    """Neither as a whole nor in its parts, in any letters, between any signs that don't make another word of it."""
    assume(not {first.lower(), last.lower()} & PLACEHOLDERS)
    hidden = veil(f"{before} {written(f'{first} {last}')} {after}", [f"{first} {last}"])
    for part in (first, last):
        assert not re.search(rf"(?<!\w){part}(?!\w)", hidden, re.IGNORECASE)


@given(AROUND, st.lists(st.text(max_size=8), max_size=3))
def test_what_is_hidden_stays_hidden(text: str, names: list[str]) -> None:
    """Without names nothing but traces changes, and hiding those again changes nothing; any names are taken."""
    once = veil(text, [])
    assert veil(once, []) == once
    assert isinstance(veil(text, names), str)


@given(
    st.text(max_size=60) | st.from_regex(r"https?://(www\.)?github\.(com|io)[:/@\[\]a-z0-9?#.]{0,30}", fullmatch=True)
)
def test_any_link_names_an_account_or_none(link: str) -> None:
    """Whatever stands for a link, it is read without an error; an account has no slash in it."""
    assert "/" not in people.account(link)


@given(
    st.text(max_size=30)
    | st.from_regex(
        r"(Mon|Xxx), [0-9]{1,5} (Jan|Feb|Foo) [0-9]{1,6} [0-9:]{0,12} ?(GMT|[+-][0-9]{1,6})?", fullmatch=True
    )
)
def test_any_wait_that_a_server_asks_for_is_read_or_left(header: str) -> None:
    """Seconds from 0 on, or none at all: no foreign server's header is an error."""
    asked = seconds(header)
    assert asked is None or asked >= 0
