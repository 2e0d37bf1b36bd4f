"""Turns briefs into readings: the half of the path that needs the catalogue's names, the encoder and the index."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from app import cues, gloss, intake
from app.aliases import AliasFinder, Folded, Tables, fold, longest
from app.catalogue import Catalogue, names
from app.records import Brief, Hit, Reading, Span
from app.report import SearchHit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.encoder import Encoder
    from app.index import Tops, ViewIndex
    from app.records import EntryKind, Mention, States, Vectors

NEAREST_VIEWS: dict[EntryKind, int] = {"dataset": 24, "technique": 8, "tutorial": 16, "cliche": 8}
"""Views asked for per row and kind: an entry has up to seven, so that some four to eight entries of a kind are seen."""
CUES_KEPT = 1_024
"""Sentences whose cues are kept."""
VIEWS_PER_ENTRY = 10
"""At most so many views has an entry; asking for that many times k rows can't miss one of the k best entries."""


class Reader:
    """Turns texts into readings: the half of the path that needs the catalogue, the encoder and the index."""

    def __init__(
        self, catalogue: Catalogue, encoder: Encoder, index: ViewIndex, finder: AliasFinder | None = None
    ) -> None:
        """Take all as it is; without a name finder one is made for the catalogue."""
        self.catalogue = catalogue
        self._encoder = encoder
        self._index = index
        self._finder = finder or AliasFinder(tables(catalogue, encoder))
        # A text and its rewrites share most of their sentences.
        self._found = lru_cache(maxsize=CUES_KEPT)(cues.find)

    def read(self, briefs: Sequence[Brief]) -> list[Reading]:
        """Read briefs together, so that all their sentences share the encoder's batches."""
        counted = [tuple(i for i, s in enumerate(b.sentences) if s.counted) for b in briefs]
        texts = [[b.sentences[i].text for i in which] for b, which in zip(briefs, counted, strict=True)]
        vectors, states = self._encoder.read([t for one in texts for t in one])
        ends = np.cumsum([len(one) for one in texts])
        parts = [vectors[end - len(one) : end] for one, end in zip(texts, ends, strict=True)]
        rows = [np.concatenate([sentences, _whole(sentences)]) for sentences in parts]
        # Together, since most of a search's time goes into fetching what is searched.
        tops = iter(self._index.tops(np.concatenate(rows), NEAREST_VIEWS) if rows else ())
        return [
            self._reading(brief, which, own, tuple(states[end - len(which) : end]), list(islice(tops, len(own))))
            for brief, which, own, end in zip(briefs, counted, rows, ends, strict=True)
        ]

    def datasets_named(self, name: str) -> list[str]:
        """Look a dataset's name up: the entries whose written form covers most of it; empty if there are none."""
        brief = intake.read(name)
        found = [m for m in self._finder.find(brief, fold(name)) if m.kind == "dataset"]
        most = max((m.span.end - m.span.start for m in found), default=0)
        return sorted({m.entry for m in found if m.span.end - m.span.start == most})

    def search(self, query: str, k: int, kinds: Sequence[EntryKind]) -> list[SearchHit]:
        """Rank entries by their nearest view; see ``Checker.search``."""
        vectors = self._encoder.encode([" ".join(intake.read(query).text.split())[: intake.MAX_SENTENCE_CHARS]])
        best: dict[str, Hit] = {}
        for kind in kinds:
            for hit in self._index.search(vectors, VIEWS_PER_ENTRY * k, kind)[0]:
                if hit.entry not in best or hit.cosine > best[hit.entry].cosine:
                    best[hit.entry] = hit
        ranked = sorted(best.values(), key=lambda h: (-h.cosine, h.entry))[:k]
        entries = self.catalogue.entries
        return [
            SearchHit(
                entry=h.entry, kind=h.kind, name=entries[h.entry].name, url=entries[h.entry].url,
                tier=entries[h.entry].tier, cosine=h.cosine, view=h.view,
            )
            for h in ranked
        ]  # fmt: skip

    def _reading(
        self, brief: Brief, counted: tuple[int, ...], vectors: Vectors, states: tuple[States, ...], tops: list[Tops]
    ) -> Reading:
        folded = fold(brief.text)
        mentions = self._mentions(brief, folded)
        nearest, overall = self._index.near(vectors, tops, {m.entry for m in mentions})
        return Reading(
            brief=brief,
            counted=counted,
            vectors=vectors,
            states=states,
            folded=folded.text,
            mentions=mentions,
            cues=tuple(self._cues(brief, i) for i in counted),
            nearest=nearest,
            overall=overall,
        )

    def _mentions(self, brief: Brief, folded: Folded) -> tuple[Mention, ...]:
        """Find names as they are written, and those that another language has words of its own for."""
        found = self._finder.find(brief, folded)
        glossary = gloss.of(brief.language)
        if glossary:
            found = longest([*found, *self._finder.find(brief, _folded(glossary.read(brief.text)))])
        return tuple(found)

    def _cues(self, brief: Brief, number: int) -> dict[str, Span]:
        sentence = brief.sentences[number]
        start = sentence.span.start
        raw = brief.text[start : sentence.span.end] or sentence.text
        found = self._found(raw)
        glossary = gloss.of(brief.language)
        if glossary and sentence.kind != "code":
            glossed = glossary.read(raw)
            found = {name: glossed.origin(a, b) for name, (a, b) in cues.find(glossed.text).items() if a < b} | found
        return {name: Span(start + a, start + b) for name, (a, b) in found.items()}


def tables(catalogue: Catalogue, encoder: Encoder) -> Tables:
    """Make a name finder's tables: of a catalogue's names, its prose and the words that the model knows."""
    prose = (text for e in catalogue.entries.values() for text in (e.about, *e.tells))
    return Tables.of(names(catalogue), prose, encoder.words())


def _whole(sentences: Vectors) -> Vectors:
    """Give the text as a whole: the unit-length mean of its sentences, shape (1, 384); zeros where there are none."""
    mean = sentences.mean(axis=0, keepdims=True) if len(sentences) else np.zeros((1, sentences.shape[1]), np.float32)
    norm = float(np.linalg.norm(mean))
    return np.asarray(mean / norm if norm else mean, dtype=np.float32)


def _folded(glossed: gloss.Gloss) -> Folded:
    """Fold a glossed text; its places are those of the received text.

    The first letter of a word that was put into English stands for the first letter of what it stands for, the others
    for its last one, so that a stretch of whole words comes out whole.
    """
    folded = fold(glossed.text)
    origin = []
    for at in folded.origin[:-1]:
        start, end = glossed.origin(at, at + 1)
        begins = at == 0 or glossed.origin(at - 1, at) != (start, end)
        origin.append(start if begins else end - 1)
    return Folded(folded.text, (*origin, glossed.places[-1][2]))
