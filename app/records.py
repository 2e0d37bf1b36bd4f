"""The nouns that travel between the stages; this room imports nothing of ours.

Every position is counted in code points of the text exactly as it was received, before any repair, so that a reader's
own words can be highlighted. Every vector is a float32 row of unit length. Values are never mutated: each stage returns
a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    States = NDArray[np.float16]

EntryKind = Literal["dataset", "technique", "tutorial", "cliche"]
Role = Literal["rests_on", "pretrained_on", "contrast", "benchmark", "mentioned", "uses", "follows", "resembles"]
VerdictLabel = Literal["well_worn", "partly_known", "original", "off_topic", "unclear"]
DataStatus = Literal["known", "own", "unknown", "none"]
MethodStatus = Literal["known", "novel", "none"]
Side = Literal["data", "question", "method", "use"]
SentenceKind = Literal["prose", "heading", "item", "table", "code", "link"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch [start, end) of the received text, in code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, list item, heading or code line of a text.

    Attributes:
        span: where it stands in the received text.
        text: its repaired, unmarked words, glossed in English; before that at most ``intake.MAX_SENTENCE_CHARS``
            characters.
        kind: what sort of line it is.
        heading: the title of the section it stands under; empty at the top.
        counted: false for installation notes, file trees, licences, badges and repeats, which say nothing of the idea.
    """

    span: Span
    text: str
    kind: SentenceKind
    heading: str = ""
    counted: bool = True


@dataclass(frozen=True, slots=True)
class About:
    """What the author says of themselves; steers the advice and never the verdict."""

    interests: str = ""
    place: str = ""
    skills: str = ""
    hours: float | None = None
    hardware: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know of how the text was read; ``code`` is stable, ``message`` is for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Brief:
    """A text that has been read once, at the door.

    Attributes:
        text: exactly what was received.
        sentences: in the order of the text.
        language: two-letter code, or ``und`` where it can't be told.
        words: number of words in the counted sentences; an address is none.
    """

    id: str
    title: str
    text: str
    sentences: tuple[Sentence, ...]
    language: str
    words: int
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A catalogue entry's name found in the text by its letters.

    Attributes:
        sentence: index into ``Brief.sentences``.
        alias: the catalogue's form of the name that was found.
        sure: false where the name is also a common word and nothing near supports it.
    """

    entry: str
    kind: EntryKind
    span: Span
    sentence: int
    alias: str
    sure: bool = True


class Hit(NamedTuple):
    """A view of a catalogue entry near a sentence in meaning; ``cosine`` is in [-1, 1], higher is nearer."""

    entry: str
    kind: EntryKind
    view: str
    cosine: float
    sentence: int


@dataclass(frozen=True, slots=True)
class Name:
    """A written form of an entry's name; ``sure`` is false where it is also a common word or shared."""

    entry: str
    kind: EntryKind
    text: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A brief with everything that was found in it, before anything is weighed.

    Attributes:
        counted: indexes into ``brief.sentences`` of those that count, in order.
        vectors: float32 unit rows, shape (len(counted) + 1, 384); the last is their mean, the whole text.
        states: per counted sentence what the model thought of each token, shape (tokens, 384).
        folded: the text in the form that names are looked for in, with a blank at both ends.
        mentions: names found by their letters, in the order of the text.
        cues: per counted sentence, cue name to its span in the received text.
        nearest: per entry that comes near or is named, its view and sentence that are nearest to each other.
        overall: per entry that comes near or is named, the cosine of its nearest view to the whole text.
    """

    brief: Brief
    counted: tuple[int, ...]
    vectors: Vectors
    states: tuple[States, ...]
    folded: str
    mentions: tuple[Mention, ...]
    cues: tuple[dict[str, Span], ...]
    nearest: dict[str, Hit]
    overall: dict[str, float]


@dataclass(frozen=True, slots=True)
class Link:
    """A dataset that the text may rest on.

    Attributes:
        probability: calibrated, in [0, 1], that the results rest on it.
        cosine: of its best view to the nearest sentence or the whole, in [-1, 1].
        sentence: index into ``Brief.sentences`` of the sentence that shows it best.
        named: whether the text names it at all.
    """

    entry: str
    probability: float
    cosine: float
    sentence: int
    mentions: tuple[Mention, ...]
    named: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the received text and its words."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Match:
    """A catalogue entry that the text has to do with, in which role, and where one can see it.

    Attributes:
        cosine: of the entry's best view to the nearest sentence, in [-1, 1].
        confidence: calibrated probability in [0, 1] that the role is right.
    """

    entry: str
    kind: EntryKind
    role: Role
    cosine: float
    confidence: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Facet:
    """One side of the project: a status out of a closed list, what was found, and where."""

    status: str
    items: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Facets:
    """The four sides that a verdict is decided from."""

    problem: Facet
    data: Facet
    method: Facet
    additions: Facet


@dataclass(frozen=True, slots=True)
class Reason:
    """What one named feature did to the verdict.

    Attributes:
        weight: its contribution in log-odds of ``well_worn``; positive speaks for worn.
        text: the same in plain words.
    """

    feature: str
    weight: float
    text: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement.

    Attributes:
        probabilities: of the four judged labels; sums to 1.
        flag_probability: calibrated probability of ``well_worn``, in [0, 1].
    """

    label: VerdictLabel
    flag_probability: float
    probabilities: dict[str, float]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """A place on the web where the material of a suggestion is found."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A way to make this project one's own, before the checker has tried it.

    Attributes:
        facet: the side that it changes.
        effort: a weekend, two weeks, a month.
        entries: ids of the catalogue entries that it comes from; never empty.
        rewrite: the idea in one paragraph, with this suggestion taken.
    """

    id: str
    title: str
    detail: str
    first_steps: tuple[str, ...]
    facet: Side
    effort: str
    resources: tuple[Resource, ...]
    entries: tuple[str, ...]
    rewrite: str


@dataclass(frozen=True, slots=True)
class Projected:
    """What the checker says of a suggestion's rewrite."""

    verdict: VerdictLabel
    flag_probability: float
