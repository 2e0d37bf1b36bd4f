"""The judge: probabilities that add up, reasons that add up to them, and a file that is what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from app import features, intake, judge, roles, wording
from app.errors import JudgeInvalid
from app.judge import HEADS, OUTPUTS, Coefficients, Judge, Text
from app.matches import Linear

if TYPE_CHECKING:
    from pathlib import Path

    from app.reader import Reader

ANSWERS = tuple(f"{head}.{label}" for head, labels in HEADS.items() for label in labels)


def linear(names: tuple[str, ...], outputs: int, seed: int) -> Linear:
    """Make a linear model of random weights."""
    rng = np.random.default_rng(seed)
    size = len(names)
    weights = 0.05 * rng.normal(size=(outputs, size))
    return Linear(names, rng.normal(size=size), rng.uniform(0.5, 2, size), weights, rng.normal(size=outputs))


@pytest.fixture(scope="module")
def text(tiny_reader: Reader) -> Text:
    """See a text as the judge does."""
    reading = tiny_reader.read([intake.read("We weighed stones. The Ruler method sorts them.")])[0]
    return judge.see(
        reading, features.features(reading, [], np.zeros((2, len(roles.ROLES))), tiny_reader.catalogue.entries)
    )


@pytest.fixture(scope="module")
def made(text: Text) -> Judge:
    """Make a judge of random coefficients over the real features."""
    rng = np.random.default_rng(7)
    return Judge(
        Coefficients(
            linker=linear(("sure", "cosine"), 1, 1),
            roles=roles.Network(
                **{name: rng.normal(size=shape).astype(np.float32) for name, shape in roles.SHAPES.items()}
            ),
            named=linear(tuple(text.features), OUTPUTS, 2),
            wording=rng.normal(size=(OUTPUTS, wording.BUCKETS)),
            wording_bias=rng.normal(size=OUTPUTS),
            idf=rng.uniform(1, 9, wording.BUCKETS),
            sense=rng.normal(size=(OUTPUTS, 384)),
            sense_bias=rng.normal(size=OUTPUTS),
            mix=np.array([0.02, 0.5, 0.48]),
            last_verdict=linear(ANSWERS, 4, 3),
            last_origin=linear(ANSWERS, 4, 4),
            cuts=dict.fromkeys(judge.CUTS, 0.5),
            about={"date": "2026-01-01"},
        )
    )


def test_every_answer_sums_to_one(made: Judge, text: Text) -> None:
    """Verdict, origin and method are each a distribution over their labels."""
    opinion = made.opinion(text)
    for part, labels in (
        (opinion.verdict, judge.VERDICTS),
        (opinion.origin, judge.ORIGINS),
        (opinion.method, judge.METHODS),
    ):
        assert part.shape == (len(labels),)
        assert part.sum() == pytest.approx(1)
        assert (part > 0).all()
    assert 0 < opinion.tutorial < 1
    assert opinion.flag == opinion.verdict[0]


@given(st.lists(st.floats(-700, 700), min_size=OUTPUTS, max_size=OUTPUTS))
def test_any_logits_give_probabilities(logits: list[float]) -> None:
    """However far the logits go, nothing overflows and each answer is a distribution."""
    last = linear(ANSWERS, 4, 3)
    opinion = judge.last(np.array(logits), last, last)
    assert np.isfinite(opinion.verdict).all()
    assert opinion.verdict.sum() == pytest.approx(1)
    assert opinion.method.sum() == pytest.approx(1)
    assert 0 <= opinion.tutorial <= 1


def test_softmax_by_hand() -> None:
    """A difference of ln 3 is three to one, whatever is added to both."""
    assert judge.softmax(np.log([3.0, 1.0]) + 900).tolist() == pytest.approx([0.75, 0.25])


def test_pulls_are_named_after_the_families(made: Judge, text: Text) -> None:
    """Each family, the wording and the sense pull, and a family whose numbers are average pulls nothing."""
    pulls = made.pulls(text)
    assert list(pulls) == [*features.FAMILIES, "wording", "sense"]
    named = made.coefficients.named
    average = {
        name: float(mean) if features.family(name) == "form" else text.features[name]
        for name, mean in zip(named.names, named.mean, strict=True)
    }
    assert made.pulls(replace(text, features=average))["form"] == pytest.approx(0, abs=1e-9)
    assert pulls["form"] != 0


def test_each_counted_sentence_leans(made: Judge, text: Text, tiny_reader: Reader) -> None:
    """Leanings are told for the sentences that count, and the same sentence leans the same."""
    reading = tiny_reader.read([intake.read("We weighed stones. The Ruler method sorts them.\n\n- pip install x\n")])[0]
    leanings = made.words(reading, text)
    assert list(leanings) == list(reading.counted) == [0, 1]
    assert leanings == made.words(reading, text)


def test_saved_and_loaded_it_is_the_same_judge(made: Judge, text: Text, tmp_path: Path) -> None:
    """What is packed into 16 bits moves no probability by a hundredth, and names, cuts and figures not at all."""
    judge.save(made.coefficients, tmp_path / "j.safetensors")
    again = Judge.open(tmp_path / "j.safetensors")
    before, after = made.opinion(text), again.opinion(text)
    assert after.verdict == pytest.approx(before.verdict, abs=0.01)
    assert after.origin == pytest.approx(before.origin, abs=0.01)
    assert again.coefficients.named.names == made.coefficients.named.names
    assert again.coefficients.cuts == made.coefficients.cuts
    assert again.rules.startswith("2026-01-01@")
    judge.save(again.coefficients, tmp_path / "k.safetensors")
    assert (tmp_path / "k.safetensors").read_bytes() == (tmp_path / "j.safetensors").read_bytes()


def rewritten(source: Path, target: Path, change: str) -> Path:
    """Copy a judge's file with one thing in its header changed."""
    data = source.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["judge"]
    old, new = change.split(" -> ")
    assert old in header
    save_file(load_file(source), target, metadata={"judge": header.replace(old, new)})
    return target


@pytest.mark.parametrize(
    "change",
    ['"form.words" -> "form.letters"', '"first" -> "second"', '"linker" -> "joiner"', '"count.self" -> "count.selves"'],
)
def test_a_judge_of_other_features_is_refused(change: str, made: Judge, tmp_path: Path) -> None:
    """Coefficients learned for other names or cuts can't speak for this code, and say so before any text comes."""
    judge.save(made.coefficients, tmp_path / "j.safetensors")
    with pytest.raises(JudgeInvalid, match=r"other\.safetensors can't be read .*scripts/train_judge\.py"):
        Judge.open(rewritten(tmp_path / "j.safetensors", tmp_path / "other.safetensors", change))


@pytest.mark.parametrize("data", [None, b"", b"x" * 7, b"\xff" * 64, b"{}" * 50, "cut"])
def test_a_damaged_judge_is_refused(data: bytes | str | None, made: Judge, tmp_path: Path) -> None:
    """A missing, empty, foreign or truncated file is an error with the way to mend it, never a crash."""
    file = tmp_path / "j.safetensors"
    if data == "cut":
        judge.save(made.coefficients, file)
        file.write_bytes(file.read_bytes()[:-100])
    elif isinstance(data, bytes):
        file.write_bytes(data)
    with pytest.raises(JudgeInvalid, match=r"Restore the file, or learn it anew"):
        Judge.open(file)


def test_the_released_judge_opens() -> None:
    """The file in the package fits the code: its features, its cuts and its width."""
    released = Judge.open()
    assert released.coefficients.mix.sum() == pytest.approx(1)
    assert set(released.coefficients.cuts) == set(judge.CUTS)
    assert all(0 < cut <= 1 for cut in released.coefficients.cuts.values())
    assert len(str(released.coefficients.about["data_sha256"])) == 64
