"""What an edit moved: each side, the causes in order, and the edit word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app import comparison
from app.report import Facet, Facets, Provenance, Reason, Report


def _report(items: list[str], status: str, flag: float, **weights: float) -> Report:
    none = Facet(status="none", items=[], evidence=[])
    return Report(
        id="",
        verdict="well_worn" if flag > 0.5 else "original",
        flagged=flag > 0.5,
        flag_probability=flag,
        summary="",
        change="",
        keep="",
        why=[
            Reason(
                feature=name, direction="worn" if w > 0 else "original", weight=w, text=f"{name} {w > 0}", evidence=[]
            )
            for name, w in weights.items()
        ],
        facets=Facets(problem=none, data=Facet(status=status, items=items, evidence=[]), method=none, additions=none),
        matches=[],
        suggestions=[],
        warnings=[],
        provenance=Provenance(software="", catalogue="", model="", rules="", index=""),
    )


BEFORE = _report(["Iris", "Wine"], "known", 0.9, tutorial=2.0, data=0.5, form=0.3)
AFTER = _report(["Wine", "own"], "own", 0.1, data=-1.0, form=0.2)


def test_each_side_says_what_came_and_went() -> None:
    """A side that moved names what it gained and lost; one that didn't has neither."""
    compared = comparison.compare(BEFORE, AFTER)
    problem, data, *_ = compared.sides
    assert (data.gained, data.lost, data.moved) == (("own",), ("Iris",), True)
    assert not problem.moved
    assert round(compared.fell_by, 6) == 0.8


def test_causes_are_the_reasons_that_moved() -> None:
    """The strongest move goes first, a reason that is gone counts with all it weighed, and noise is left out."""
    causes = comparison.compare(BEFORE, AFTER).causes
    assert [(c.feature, c.by, c.text, c.dropped) for c in causes] == [
        ("tutorial", -2.0, "tutorial True", True),
        ("data", -1.5, "data False", False),
    ]


def test_a_report_beside_itself_moves_nothing() -> None:
    """The same report twice has no moved side and no cause."""
    same = comparison.compare(BEFORE, BEFORE, "a", "a")
    assert not any(side.moved for side in same.sides)
    assert (same.causes, same.pieces, same.fell_by) == ((), (), 0.0)


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_edit_loses_nothing(before: str, after: str) -> None:
    """What isn't removed is the text after, what isn't added is the text before, wherever kept stretches agree."""
    pieces = comparison.edit(before, after)
    if before == after:
        assert pieces == ()
    else:
        assert "".join(p.text for p in pieces if p.kind != "removed") == after
        assert "".join(p.text for p in pieces if p.kind != "added") == before


def test_an_edit_is_found_word_by_word() -> None:
    """One word in place of another is shown as that and nothing else."""
    pieces = comparison.edit("sort old letters", "sort new letters")
    assert [(p.kind, p.text) for p in pieces] == [
        ("kept", "sort "),
        ("removed", "old"),
        ("added", "new"),
        ("kept", " letters"),
    ]


def test_a_long_edit_is_not_searched() -> None:
    """Past the limit there is no word-by-word edit, for finding it would take seconds."""
    assert comparison.edit("a " * 4_000, "b " * 4_000) == ()
