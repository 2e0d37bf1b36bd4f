"""Learns the judge from labelled texts, folds kept apart by author, and measures it on what each fold has not seen.

Needs scikit-learn (the extra ``train``). All in memory; some two minutes for 2,400 texts on two cores.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler, normalize

from app import evaluation, features, intake, judge, wording
from app.judge import HEADS, Coefficients
from app.matches import Candidate, Linear, candidates, link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from app.catalogue import Dataset, Entry
    from app.reader import Reader
    from app.records import Reading

    Numbers = NDArray[np.float64]

FOLDS = 5
READ_TOGETHER = 64
MIX = (0.45, 0.35, 0.2)
"""Weights of named features, wording and sense. Source: between the two best of six mixtures tried by
cross-validation over authors; the flag's F1 differed by at most .02 among the mixtures of all three."""
C_LINKER, C_NAMED, C_WORDING, C_SENSE, C_LAST = 0.3, 0.1, 8.0, 10.0, 0.03
"""Inverse strengths of the L2 penalty: of two or three tried for each by the same cross-validation, the best."""
SOURCE_WEIGHT = {"readmes.dev": 4.0, "ideas.dev": 3.0}
"""How much a text counts in the last model, which sets the calibration: the labelled cases were drawn as users' texts
are, the texts to learn from were written to cover hard cases, so the cases tell the base rates."""
DATASET_CUTS = {"first": 0.15, "rests_on": 0.5, "rests_on_own": 0.92, "resembles": 0.5}
"""Where a candidate becomes a match. Source: of 81 combinations tried on the cross-validated cases, the one that names
the fewest known sets for texts on own data among those that find the right set in .96 of ideas and .85 of READMEs."""
PLATEAU = 0.015
"""F1 that one case more or less moves on the labelled cases."""
MAX_ORIGINALS_FLAGGED = 0.03
"""Share of originals that the flag's cut may let through in cross-validation: a false flag is the worst error."""


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text.

    Attributes:
        group: its author; never split over folds.
        labels: head to the index of its label.
        datasets: ids that its results rest on.
        source: the file that it comes from, without its extension.
    """

    id: str
    reading: Reading
    group: str
    labels: Mapping[str, int]
    datasets: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Examples as numbers: one row each, in order."""

    examples: tuple[Example, ...]
    candidates: tuple[tuple[Candidate, ...], ...]
    counts: csr_matrix
    whole: NDArray[np.float32]
    folds: NDArray[np.int64]


def fold_of(group: str) -> int:
    """Give a group's fold: a hash, so that it stays where it is when other groups come and go."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % FOLDS


def examples(
    files: Mapping[str, Sequence[Mapping[str, Any]]], reader: Reader, tell: Callable[[str], None] = lambda _: None
) -> list[Example]:
    """Read labelled rows.

    Args:
        files: source name (a file's name without ``.jsonl``) to its rows: id, text, group, verdict, dataset, technique,
            tutorial, and ``dataset_ids`` or, where a row has none, the names in ``datasets``, which are looked up.
    """
    found = []
    for source, rows in files.items():
        for start in range(0, len(rows), READ_TOGETHER):
            some = rows[start : start + READ_TOGETHER]
            readings = reader.read([intake.read(str(row["text"]), id=str(row["id"])) for row in some])
            found += [_example(row, reading, source, reader) for row, reading in zip(some, readings, strict=True)]
            tell(f"read {start + len(some):,} of {len(rows):,} of {source}")
    return found


def _example(row: Mapping[str, Any], reading: Reading, source: str, reader: Reader) -> Example:
    labels = {
        "verdict": judge.VERDICTS.index(row["verdict"]),
        "origin": judge.ORIGINS.index(row["dataset"]),
        "method": judge.METHODS.index(row["technique"]),
        "tutorial": int(bool(row["tutorial"])),
    }
    ids = row.get("dataset_ids")
    named = ids if ids is not None else [entry for name in row["datasets"] for entry in reader.datasets_named(name)]
    return Example(str(row["id"]), reading, str(row["group"]), labels, frozenset(named), source)


def release(
    data: Prepared,
    entries: Mapping[str, Entry],
    output: Path,
    folds: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Learn, and write the judge, the folds' judges and the list of which text lies in which fold."""
    whole, parts = learn(data, entries, tell)
    folds.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(parts):
        judge.save(part, folds / f"fold-{number}.safetensors")
    ledger = {evaluation.digest(e.reading.brief.text): int(f) for e, f in zip(data.examples, data.folds, strict=True)}
    (folds / evaluation.LEDGER).write_text(json.dumps(ledger, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    judge.save(whole, output)


def prepare(examples: Sequence[Example], datasets: Mapping[str, Dataset]) -> Prepared:
    """Turn examples into numbers."""
    pointers, buckets, values = [0], [], []
    for example in examples:
        keys, logs = wording.counts(example.reading.brief.sentences[i].text for i in example.reading.counted)
        buckets.append(keys)
        values.append(logs)
        pointers.append(pointers[-1] + len(keys))
    return Prepared(
        examples=tuple(examples),
        candidates=tuple(tuple(candidates(e.reading, datasets)) for e in examples),
        counts=csr_matrix(
            (np.concatenate(values), np.concatenate(buckets), pointers), shape=(len(examples), wording.BUCKETS)
        ),
        whole=np.stack([e.reading.vectors[-1] for e in examples]),
        folds=np.array([fold_of(e.group) for e in examples]),
    )


def learn(
    data: Prepared, entries: Mapping[str, Entry], tell: Callable[[str], None] = lambda _: None
) -> tuple[Coefficients, list[Coefficients]]:
    """Learn the judge, and one more per fold that has not seen it.

    Returns:
        The judge learned from everything, and for each fold one learned from the other folds alone.
    """
    everything = np.ones(len(data.examples), dtype=bool)
    whole = _learn(data, everything, entries, tell)
    parts = []
    for fold in range(FOLDS):
        tell(f"fold {fold + 1} of {FOLDS}")
        parts.append(_learn(data, data.folds != fold, entries, lambda _: None))
    return whole, parts


def _learn(
    data: Prepared, train: NDArray[np.bool_], entries: Mapping[str, Entry], tell: Callable[[str], None]
) -> Coefficients:
    """Learn from the marked rows; inner folds give every later model answers that the earlier ones had not learned."""
    inner = [f for f in range(FOLDS) if (data.folds[train] == f).any()]
    rows: list[dict[str, float]] = [{} for _ in data.examples]
    linkers = {f: _fit_linker(data, train & (data.folds != f)) for f in inner}
    for number in np.flatnonzero(train):
        rows[number] = _row(data, int(number), linkers[int(data.folds[number])], entries)
    tell("datasets linked")
    names = tuple(next(row for row in rows if row))
    matrix = np.array([[row.get(n, 0.0) for n in names] for row in rows])
    logits = np.zeros((len(rows), judge.OUTPUTS))
    for fold in inner:
        held = train & (data.folds == fold)
        models = _fit_heads(data, matrix, names, train & ~held)
        logits[held] = _mixed(data, matrix, held, models)
    tell("questions answered out of fold")
    models = _fit_heads(data, matrix, names, train)
    last_verdict, last_origin = (_fit_last(data, logits, train, head) for head in ("verdict", "origin"))
    named, words, word_bias, idf, sense, sense_bias = models
    return Coefficients(
        linker=_fit_linker(data, train),
        named=named,
        wording=words,
        wording_bias=word_bias,
        idf=idf,
        sense=sense,
        sense_bias=sense_bias,
        mix=np.array(MIX),
        last_verdict=last_verdict,
        last_origin=last_origin,
        cuts=_cuts(data, logits, train, last_verdict, last_origin),
        about=_about(data, train),
    )


def _row(data: Prepared, number: int, linker: Linear, entries: Mapping[str, Entry]) -> dict[str, float]:
    reading = data.examples[number].reading
    return features.features(reading, link(list(data.candidates[number]), linker), entries)


def _fit_linker(data: Prepared, train: NDArray[np.bool_]) -> Linear:
    rows, truth = [], []
    for number in np.flatnonzero(train):
        for candidate in data.candidates[number]:
            rows.append(candidate.features)
            truth.append(candidate.entry in data.examples[number].datasets)
    names = tuple(rows[0])
    return _fit(np.array([[row[n] for n in names] for row in rows]), np.array(truth, dtype=int), names, C_LINKER)


def _fit(matrix: Numbers, truth: NDArray[Any], names: tuple[str, ...], c: float, weight: Any = None) -> Linear:
    scaler = StandardScaler().fit(matrix)
    model = LogisticRegression(C=c, max_iter=500).fit(scaler.transform(matrix), truth, sample_weight=weight)
    return Linear(names, scaler.mean_, scaler.scale_, model.coef_, model.intercept_)


Models = tuple[Linear, "Numbers", "Numbers", "Numbers", "Numbers", "Numbers"]


def _fit_heads(data: Prepared, matrix: Numbers, names: tuple[str, ...], train: NDArray[np.bool_]) -> Models:
    scaler = StandardScaler().fit(matrix[train])
    standard = scaler.transform(matrix[train])
    idf = _idf(data.counts[train])
    weighed = _weigh(data.counts[train], idf)
    whole = data.whole[train].astype(np.float64)
    fits: dict[str, list[tuple[Numbers, Numbers]]] = {"named": [], "wording": [], "sense": []}
    for head, labels in HEADS.items():
        truth = np.array([e.labels[head] for e, on in zip(data.examples, train, strict=True) if on])
        fits["named"].append(_outputs(LogisticRegression(C=C_NAMED, max_iter=500).fit(standard, truth), labels))
        fits["wording"].append(
            _outputs(LogisticRegression(C=C_WORDING, max_iter=150, tol=1e-3).fit(weighed, truth), labels)
        )
        fits["sense"].append(_outputs(LogisticRegression(C=C_SENSE, max_iter=300).fit(whole, truth), labels))
    stacked = {
        part: (np.concatenate([w for w, _ in found]), np.concatenate([b for _, b in found]))
        for part, found in fits.items()
    }
    return Linear(names, scaler.mean_, scaler.scale_, *stacked["named"]), *stacked["wording"], idf, *stacked["sense"]


def _outputs(model: LogisticRegression, labels: tuple[str, ...]) -> tuple[Numbers, Numbers]:
    """Give one row of weights a label; of two labels the first is the zero that the second is weighed against."""
    if len(labels) > 2:
        return model.coef_, model.intercept_
    return np.concatenate([np.zeros_like(model.coef_), model.coef_]), np.concatenate([[0.0], model.intercept_])


def _mixed(data: Prepared, matrix: Numbers, held: NDArray[np.bool_], models: Models) -> Numbers:
    named, words, word_bias, idf, sense, sense_bias = models
    parts = (
        ((matrix[held] - named.mean) / named.scale) @ named.weights.T + named.intercepts,
        _weigh(data.counts[held], idf) @ words.T + word_bias,
        data.whole[held].astype(np.float64) @ sense.T + sense_bias,
    )
    return np.asarray(sum(share * part for share, part in zip(MIX, parts, strict=True)))


def _idf(counts: csr_matrix) -> Numbers:
    seen = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + seen)) + 1, dtype=np.float64)


def _weigh(counts: csr_matrix, idf: Numbers) -> csr_matrix:
    """Do to many rows what ``wording.weigh`` does to one."""
    weighed = counts.copy()
    weighed.data = weighed.data * idf[weighed.indices]
    half = 2**wording.WORD_BITS
    return hstack([normalize(weighed[:, :half]), normalize(weighed[:, half:])]).tocsr()


def _answers(logits: Numbers) -> Numbers:
    return np.array(
        [np.log(np.clip(np.concatenate(list(judge.split(row).values())), judge.FLOOR, 1)) for row in logits]
    )


def _fit_last(data: Prepared, logits: Numbers, train: NDArray[np.bool_], head: str) -> Linear:
    names = tuple(f"{h}.{label}" for h, labels in HEADS.items() for label in labels)
    chosen = [e for e, on in zip(data.examples, train, strict=True) if on]
    weight = np.array([SOURCE_WEIGHT.get(e.source, 1.0 if "readmes" in e.source else 0.5) for e in chosen])
    return _fit(_answers(logits[train]), np.array([e.labels[head] for e in chosen]), names, C_LAST, weight)


def _cuts(
    data: Prepared, logits: Numbers, train: NDArray[np.bool_], verdict: Linear, origin: Linear
) -> dict[str, float]:
    """Choose the flag's cut on the labelled cases: among those that flag few enough originals, the middle of the best.

    The best by F1 alone jumps with single cases; the middle of all that come within ``PLATEAU`` of it does not.
    """
    chosen = [
        (judge.last(logits[i], verdict, origin).flag, data.examples[i].labels["verdict"])
        for i in np.flatnonzero(train)
        if data.examples[i].source in SOURCE_WEIGHT
    ] or [(0.5, 0)]
    worn, original = judge.VERDICTS.index("well_worn"), judge.VERDICTS.index("original")
    originals = max(1, sum(label == original for _, label in chosen))
    scores: dict[float, float] = {}
    for cut in np.arange(0.3, 0.81, 0.01).round(2).tolist():
        hits = sum(p >= cut and label == worn for p, label in chosen)
        flagged = sum(p >= cut for p, _ in chosen)
        false = sum(p >= cut and label == original for p, label in chosen) / originals
        f1 = 2 * hits / max(1, flagged + sum(label == worn for _, label in chosen))
        if false <= MAX_ORIGINALS_FLAGGED:
            scores[cut] = f1
    best = max(scores.values(), default=0.0)
    plateau = [cut for cut, f1 in scores.items() if f1 >= best - PLATEAU] or [0.5]
    return {"flag": round(float(np.median(plateau)), 2)} | DATASET_CUTS


def _about(data: Prepared, train: NDArray[np.bool_]) -> dict[str, Any]:
    digest = hashlib.sha256()
    for example in data.examples:
        digest.update(f"{example.id}\t{example.labels}\t{example.reading.brief.text}".encode("utf-8", "replace"))
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "texts": int(train.sum()),
        "authors": len({e.group for e, on in zip(data.examples, train, strict=True) if on}),
        "data_sha256": digest.hexdigest(),
    }
