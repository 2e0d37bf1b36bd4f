"""Strings the stages together; the only room that knows them all."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import compress
from typing import TYPE_CHECKING, Any

import app
from app import (
    advice,
    atlas,
    bundle,
    claims,
    compose,
    facets,
    features,
    generations,
    index,
    intake,
    judge,
    lookup,
    matches,
    nametable,
    neighbours,
    runtime,
    stages,
    verdict,
)
from app.catalogue import Catalogue, views
from app.errors import BadInput, OriginalityError
from app.reader import NEAREST_VIEWS, Reader
from app.records import About, Brief, Match, Projected, Reading, Suggestion, Verdict
from app.report import Neighbour, Provenance, Report, SearchHit
from app.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from app.corpus import Row
    from app.encoder import Encoder, TextEncoder
    from app.records import EntryKind, Facets
    from app.settings import Settings
    from app.store import Store

GROUP = 16
"""Texts that are read together in a batch: enough to fill the encoder, few enough to show progress."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One text to be judged, as a face received it.

    Attributes:
        suggest: also suggest, which costs several further readings.
    """

    text: str
    id: str = ""
    title: str = ""
    language: str = ""
    about: About | None = None
    collections: tuple[str, ...] = ()
    suggest: bool = True


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What a verdict on a reading came from: the roles of its sentences, what the judge saw and thought, its data."""

    said: NDArray[np.float32]
    row: judge.Text
    opinion: judge.Opinion
    datasets: list[Match]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Judged:
    """A reading with all that was concluded from it."""

    reading: Reading
    row: judge.Text
    matches: tuple[Match, ...]
    facets: Facets
    verdict: Verdict


class Checker:
    """Judges texts: one path for every face."""

    def __init__(
        self,
        reader: Reader,
        the_judge: judge.Judge,
        handbook: advice.Handbook,
        provenance: Provenance,
        views: index.ViewIndex,
        collections: Callable[[], Store],
        encoder: Encoder,
        open_writer: Callable[[], Encoder],
    ) -> None:
        """Wire the stages; use ``open``."""
        self.catalogue, self.datasets_named = reader.catalogue, reader.datasets_named
        self._encoder = encoder
        self._words = lookup.Words(reader.catalogue)
        self._open_collections = collections
        self._open_writer = open_writer
        self._reader = reader
        self._judge = the_judge
        self._handbook = handbook
        self._provenance = provenance
        self._views = views
        self._names = {e.id: e.name for e in self.catalogue.entries.values()}
        self._kinds: dict[str, EntryKind] = {e.id: e.kind for e in self.catalogue.entries.values()}  # type: ignore[misc]

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        the_judge: judge.Judge | None = None,
        encoder: Encoder | None = None,
        build: bool = False,
    ) -> Checker:
        """Load everything once.

        Args:
            the_judge: another than the released one.
            encoder: one that is open already.
            build: build the index if there is none for this catalogue and model.

        Raises:
            OriginalityError: if catalogue, index, weights or coefficients can't be used; the message says what to do.
        """
        catalogue = Catalogue.load(settings.catalogue_dir, settings.runtimes_dir)
        if build:
            ensure_index(settings, catalogue, encoder)
        encoder = encoder or runtime.served(settings.runtimes_dir, settings.encoder)
        found = index.ViewIndex.open(settings.index_dir, catalogue, encoder.name)
        the_judge = the_judge or judge.Judge.open()
        provenance = Provenance(
            software=app.__version__,
            catalogue=f"{catalogue.version} of {catalogue.date}, {catalogue.sha256[:12]}",
            model=runtime.described(encoder),
            rules=the_judge.rules,
            index=f"layout {found.manifest['layout']}, {len(found.rows)} views, {found.manifest['catalogue'][:12]}",
        )
        reader = Reader(catalogue, encoder, found, nametable.finder(settings.runtimes_dir, catalogue, encoder))
        collections = partial(open_store, settings, encoder.name)
        if settings.collections_url:
            collections()  # a wrong address is told at the start
        writer = partial(runtime.writing, settings.runtimes_dir, encoder)
        return cls(reader, the_judge, advice.Handbook.load(), provenance, found, collections, encoder, writer)

    def reopened(self, settings: Settings) -> Checker:
        """Open what is on the disk now, catalogue and index, with the same encoder and judge.

        Raises:
            OriginalityError: if it can't be used; this checker goes on as it is.
        """
        return Checker.open(settings, the_judge=self._judge, encoder=self._encoder)

    def with_judge(self, the_judge: judge.Judge) -> Checker:
        """Give a checker that shares everything but the judge."""
        other = copy(self)
        other._judge = the_judge
        other._provenance = self._provenance.model_copy(update={"rules": the_judge.rules})
        return other

    @cached_property
    def collections(self) -> Store:
        """The store of collections, opened when first asked for: its libraries are large, and most checks need none."""
        return self._open_collections()

    @cached_property
    def _writer(self) -> Encoder:
        """What rows that are kept are encoded with; only a service that runs on int8 opens another for it."""
        return self._open_writer()

    def check(
        self,
        text: str,
        *,
        id: str = "",  # noqa: A002
        title: str = "",
        language: str = "",
        about: About | None = None,
        collections: Sequence[str] = (),
        suggest: bool = True,
    ) -> Report:
        """Judge one text.

        Args:
            collections: names of those whose nearest rows are to be shown beside the verdict.

        Raises:
            TextUnusable, TextTooLong: if it can't be read.
            CollectionMissing, IndexStale: if a collection isn't there or can't be read.
        """
        result = self.check_many([Submission(text, id, title, language, about, tuple(collections), suggest)])[0]
        if isinstance(result, OriginalityError):
            raise result
        return result

    def check_many(self, submissions: Sequence[Submission], *, advise: bool = True) -> list[Report | OriginalityError]:
        """Judge texts together.

        Args:
            advise: False suggests nothing, whatever the submissions say.

        Returns:
            A report or the error of each, in order; one bad text never stops the others.

        Raises:
            CollectionMissing, IndexStale: if a collection isn't there or can't be read.
        """
        opened = {name: self.collections.open(name) for one in submissions for name in one.collections}
        briefs: list[Brief | BadInput] = []
        for one in submissions:
            try:
                with stages.stage("intake"):
                    briefs.append(intake.read(one.text, id=one.id, title=one.title, language=one.language))
            except BadInput as error:
                briefs.append(error)
        good = [b for b in briefs if isinstance(b, Brief)]
        projects = self._projects(good)
        judged = [_whole(one, parts) for one, parts in zip(self._judge_all(good), projects, strict=True)]
        asked = [s for s, b in zip(submissions, briefs, strict=True) if isinstance(b, Brief)]
        keen = [advise and one.suggest for one in asked]
        found = iter(self._advise(list(compress(judged, keen)), [one.about for one in compress(asked, keen)]))
        advised = [next(found) if one else () for one in keen]
        near = [
            [n for name in dict.fromkeys(s.collections) for n in neighbours.of(one.reading, opened[name])]
            for s, one in zip(asked, judged, strict=True)
        ]
        reports = iter([self._report(*one) for one in zip(judged, advised, projects, near, strict=True)])
        return [next(reports) if isinstance(b, Brief) else b for b in briefs]

    def search(
        self, query: str, k: int = 10, among: lookup.Filter | None = None, by: Sequence[lookup.Sign] = lookup.SIGNS
    ) -> list[SearchHit]:
        """Rank catalogue entries for a description, best first, at most k: by names, by words and by meaning.

        Args:
            by: rank by these signs alone; what only the others speak for is not found.

        Raises:
            TextUnusable, TextTooLong: if the query can't be read.
            BadInput: if it is asked for a form, task or tier that there isn't.
        """
        among = among or lookup.Filter()
        lookup.refuse_unknown(among, self.catalogue)
        allowed = {name for name, entry in self.catalogue.entries.items() if among.lets(entry)}
        reading = self._reader.read([intake.read(query)])[0]
        pool = lookup.POOL if among == lookup.Filter() else len(self.catalogue.entries)
        near = {hit.entry: hit for hit in self._reader.search(query, pool, among.kinds or tuple(NEAREST_VIEWS))}
        # A doubtful name, such as "iris", is meant as one where the query is nothing else.
        alone = len(query.strip())
        sure = [m for m in reading.mentions if m.sure or m.span.end - m.span.start == alone]
        named = dict.fromkeys(m.entry for m in sure if m.entry in allowed)
        rankings: dict[lookup.Sign, list[str]] = {
            "name": [name for name in named if name in near or name in reading.nearest],
            "words": [name for name in self._words.find(query, allowed) if name in near],
            "meaning": [name for name in near if name in allowed],
        }
        fused = lookup.fuse(*(some if sign in by else [] for sign, some in rankings.items()))
        return [self._hit(name, near.get(name), reading, list(signs)) for name, signs in fused[:k]]

    def _hit(self, name: str, hit: SearchHit | None, reading: Reading, signs: list[lookup.Sign]) -> SearchHit:
        if hit is not None:
            return hit.model_copy(update={"found_by": signs})
        entry, nearest = self.catalogue.entries[name], reading.nearest[name]
        return SearchHit(
            entry=name,
            kind=nearest.kind,
            name=entry.name,
            url=entry.url,
            tier=entry.tier,
            cosine=nearest.cosine,
            view=nearest.view,
            found_by=signs,
        )

    def search_collection(self, name: str, query: str, k: int = 10) -> list[Neighbour]:
        """Rank a collection's rows by nearness of meaning to a description, best first, at most k.

        Raises:
            TextUnusable, TextTooLong: if the query can't be read.
            CollectionMissing, IndexStale: if the collection isn't there or can't be read.
        """
        among, reading = self.collections.open(name), self._reader.read([intake.read(query)])[0]
        return neighbours.found(name, reading, among.search(reading.vectors[-1:], k)[0])

    def add_rows(self, name: str, rows: Sequence[Row]) -> None:
        """Add rows to a collection; see ``Store.add``."""
        self.collections.add(name, rows, self._writer)

    def surroundings(self, text: str, report: Report) -> tuple[atlas.Chart, atlas.Grid]:
        """Draw a text that was judged among the entries nearest to it; see ``atlas``."""
        chart = self._atlas.around(self._reader.read([claims.mute(intake.read(text))])[0])
        return chart, self._atlas.trodden(report, [point.entry for point in chart.points])

    @cached_property
    def _atlas(self) -> atlas.Atlas:
        return atlas.Atlas(self._views, self.catalogue)

    def info(self) -> dict[str, Any]:
        """Tell versions, counts and figures."""
        return {
            "software": self._provenance.software,
            "catalogue": self.catalogue.counts(),
            "catalogue_version": self._provenance.catalogue,
            "model": self._provenance.model,
            "rules": self._provenance.rules,
            "judge": dict(self._judge.coefficients.about),
            "index": self._views.manifest,
        }

    def _judge_all(self, briefs: Sequence[Brief]) -> list[_Judged]:
        readings = self._read(briefs)
        with stages.stage("judging"):
            return [self._judge_one(reading) for reading in readings]

    @stages.stage("reading")
    def _read(self, briefs: Sequence[Brief]) -> list[Reading]:
        return self._reader.read([claims.mute(brief) for brief in briefs])

    def _judge_one(self, reading: Reading) -> _Judged:
        weighed = self._weigh(reading)
        opinion, bar = weighed.opinion, self._judge.coefficients.cuts["resembles"]
        themes = matches.themes(reading, self._kinds, follows=opinion.tutorial, resembles_at=bar)
        found = (*weighed.datasets, *matches.techniques(reading), *themes)
        sides = facets.read(
            reading,
            found,
            self._names,
            weighed.said,
            data=verdict.ORIGIN[int(opinion.origin.argmax())],
            method=verdict.METHOD[int(opinion.method.argmax())],
            follows=opinion.tutorial,
            own=float(opinion.origin[1]),
        )
        return _Judged(reading, weighed.row, found, sides, weighed.verdict)

    def _weigh(self, reading: Reading) -> _Weighed:
        """Come to a verdict: all that is asked of a rewrite."""
        entries, cuts = self.catalogue.entries, self._judge.coefficients.cuts
        links = matches.link(matches.candidates(reading, self.catalogue.datasets), self._judge.coefficients.linker)
        said = self._judge.said(reading)
        row = judge.see(reading, features.features(reading, links, said, entries))
        opinion = self._judge.opinion(row)
        data = verdict.ORIGIN[int(opinion.origin.argmax())]
        found = matches.datasets(reading, links, matches.carried(links, cuts, data))
        named = bool(found) or any(m.sure and m.kind == "cliche" for m in reading.mentions)
        brief = reading.brief
        conclusion = verdict.decide(opinion, cuts, words=brief.words, language=brief.language, names_known=named)
        return _Weighed(said, row, opinion, found, conclusion)

    def _projects(self, briefs: Sequence[Brief]) -> list[list[_Judged]]:
        """Judge the projects of every text that holds several, one by one; none where it holds one."""
        parts = [bundle.split(brief) for brief in briefs]
        judged = iter(self._judge_all([part for some in parts for part in some]))
        found = [[next(judged) for _ in some] for some in parts]
        return [some if bundle.holds((p.reading, p.matches, p.facets) for p in some) else [] for some in found]

    @stages.stage("advice")
    def _advise(
        self, judged: Sequence[_Judged], about: Sequence[About | None]
    ) -> list[tuple[tuple[Suggestion, Projected], ...]]:
        """Suggest, judge rewrites by the same path, and keep what the checker itself finds to help."""
        return advice.settle([self._offer(one, who) for one, who in zip(judged, about, strict=True)], self._projected)

    def _offer(self, one: _Judged, about: About | None) -> advice.Offer:
        reading, label, found = one.reading, one.verdict.label, one.matches
        candidates = advice.suggest(reading, one.facets, label, found, self.catalogue, self._handbook, about)
        # Only of these two is more asked than that a rewrite does no harm.
        again = advice.control(reading, label, found, self.catalogue) if label in {"well_worn", "partly_known"} else ""
        return advice.Offer(candidates, again, label, one.verdict.flag_probability, reading.brief.language)

    def _projected(self, texts: Sequence[tuple[str, str]]) -> list[Projected]:
        readings = self._read([intake.read(text, language=language) for text, language in texts])
        with stages.stage("judging"):
            verdicts = [self._weigh(reading).verdict for reading in readings]
        return [Projected(one.label, one.flag_probability) for one in verdicts]

    @stages.stage("report")
    def _report(
        self,
        one: _Judged,
        suggestions: Sequence[tuple[Suggestion, Projected]],
        projects: Sequence[_Judged],
        neighbours: Sequence[Neighbour] = (),
    ) -> Report:
        pulls = self._judge.pulls(one.row)
        leanings = self._judge.words(one.reading, one.row)
        why = verdict.reasons(pulls, one.matches, one.facets, facets.telling(one.reading, leanings, pulls))
        return compose.report(
            one.reading.brief,
            one.verdict,
            why,
            one.facets,
            one.matches,
            suggestions,
            self.catalogue.entries,
            self._provenance,
            kept=advice.keep(one.facets, one.matches),
            smallest=advice.smallest(suggestions, one.verdict.label),
            projects=[self._report(part, (), ()) for part in projects],
            neighbours=neighbours,
        )


def ensure_index(
    settings: Settings,
    catalogue: Catalogue | None = None,
    encoder: TextEncoder | None = None,
    tell: Callable[[str], None] = lambda _: None,
    *,
    force: bool = False,
) -> bool:
    """Build the index if there is none for this catalogue and model, or if forced; one process at a time.

    Returns:
        Whether it was built.
    """
    catalogue = catalogue or Catalogue.load(settings.catalogue_dir, settings.runtimes_dir)
    model = encoder.name if encoder else runtime.pinned_name()
    # Asked before the lock is taken: where the index is ready, its folder need not be writable.
    why = index.why_stale(settings.index_dir, catalogue, model)
    if not why and not force:
        return False
    with generations.lock(settings.index_dir):
        if not force and not index.why_stale(settings.index_dir, catalogue, model):
            return False
        tell(f"{why} It is built now.".strip())
        made_by = encoder or runtime.reference()
        index.build(settings.index_dir, views(catalogue), catalogue, made_by, tell, afresh=force)
    return True


def _whole(one: _Judged, parts: Sequence[_Judged]) -> _Judged:
    """Let the whole listen to its parts."""
    return replace(one, verdict=verdict.of_whole(one.verdict, [part.verdict for part in parts]))
