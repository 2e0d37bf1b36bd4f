"""What is remembered: the right answer, once asked for, and never more than there is room for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from app.memo import Memo


@given(st.lists(st.lists(st.binary(max_size=2), max_size=8), max_size=8), st.integers(0, 6))
def test_answers_are_as_if_nothing_was_remembered(calls: list[list[bytes]], capacity: int) -> None:
    """Each question gets its own answer; a call asks for a thing once at most, and for none that is remembered."""
    memo: Memo[bytes] = Memo(capacity)
    for asked in calls:
        wanted: list[bytes] = []

        def find(places: list[int], asked: list[bytes] = asked, wanted: list[bytes] = wanted) -> list[bytes]:
            wanted.extend(asked[place] for place in places)
            return [asked[place] * 2 for place in places]

        before = len(memo)
        assert memo.answers(asked, find) == [one * 2 for one in asked]
        assert len(set(wanted)) == len(wanted)
        assert len(memo) == min(capacity, before + len(wanted))


def test_what_is_remembered_is_not_asked_again() -> None:
    """Until it is pushed out by later answers, or all is forgotten."""
    memo: Memo[int] = Memo(2)
    asked: list[int] = []

    def ask(*questions: bytes) -> None:
        def find(places: list[int]) -> list[int]:
            asked.append(len(places))
            return places

        memo.answers(questions, find)

    ask(b"a", b"b")
    ask(b"a", b"b")
    ask(b"c")
    ask(b"b", b"c")
    assert asked == [2, 1]
    ask(b"a")
    memo.clear()
    ask(b"a")
    assert asked == [2, 1, 1, 1]


def test_threads_get_their_own_answers() -> None:
    """Many that ask at a time, with little room, never get another's answer."""
    memo: Memo[int] = Memo(3)

    def ask(number: int) -> list[int]:
        questions = [(number + step) % 7 for step in range(5)]
        return [answer - q for q, answer in zip(questions, _squares(memo, questions), strict=True)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(400)))
    assert answers == [[((n + s) % 7) ** 2 - (n + s) % 7 for s in range(5)] for n in range(400)]


def _squares(memo: Memo[int], numbers: list[int]) -> list[int]:
    return memo.answers([bytes([n]) for n in numbers], lambda places: [numbers[place] ** 2 for place in places])
