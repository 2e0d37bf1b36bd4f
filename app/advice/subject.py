"""Finds out what a project is about, as far as advice needs it: its data, theme, method, kind, domain and own words."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.advice.voice import clipped, lower_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.catalogue import Catalogue, Cliche, Dataset
    from app.records import Match, Reading

NEAR_CLICHE = 0.42
"""Cosine from which a cliché that the matches leave out still gives its twists; below it, themes are chance."""

READ_CHARS = 4000
"""How much of a text is searched for words of its domain; what it is about stands at its beginning."""

_OF_MODALITY = {
    "image": "image",
    "video": "image",
    "3d": "image",
    "multimodal": "image",
    "tabular": "tabular",
    "geospatial": "tabular",
    "time series": "series",
    "events": "series",
    "text": "text",
    "recommender": "recommender",
    "llm": "llm",
    "audio": "audio",
    "rl environment": "control",
    "graph": "graph",
}
_OF_TASK = {
    "visualisation": "explore",
    "clustering": "cluster",
    "recommendation": "recommender",
    "forecasting": "series",
    "generation": "generate",
    "control": "control",
}
_OF_TECHNIQUES = {
    "convolutional networks": "image",
    "object detection": "image",
    "classical vision": "image",
    "people in images": "image",
    "segmentation": "image",
    "llm apps": "llm",
    "dialogue": "llm",
    "recommenders": "recommender",
    "clustering": "cluster",
    "reinforcement learning": "control",
    "time series": "series",
    "recurrent networks": "series",
    "text features": "text",
    "transformers": "text",
    "speech and audio": "audio",
    "generative": "generate",
    "graph learning": "graph",
    "trees and ensembles": "tabular",
    "linear models": "tabular",
    "data preparation": "explore",
    "model adaptation": "llm",
}
_NO_METHOD = {
    "deployment",
    "software and devices",
    "data preparation",
    "data engineering",
    "training methods",
    "explainability",
}
_ONLY_FEATURES = {
    "classical vision",
    "text features",
    "speech and audio",
    "signal processing",
    "dimensionality reduction",
}
_SCORE = re.compile(
    r"(?:accura\w*|\bacc|precision|recall|\bauc|roc[- ]auc|\bf1|f1[- ]score|\br2|r²|\bscore|\bgot|reach\w*|achiev\w*)"
    r"\W{0,3}(?:of|is|was|at|=|:)?\W{0,2}(?:about |around )?(\d{2,3}(?:[.,]\d+)? ?%|0?\.\d{2,4})(?!\d)"
    r"|(?<!\d)(\d{2,3}(?:[.,]\d+)? ?%)(?= (?:\w+ )?(?:accura|acc\b|precision|recall|f1|correct|test acc))"
    r"|\b((?:RMSE|MAE|MAPE)\W{0,3}(?:of |is |was |= ?|: ?)?\d+(?:[.,]\d+)*(?: ?%)?)",
    re.IGNORECASE,
)
"""A score beside the name of its measure, in the ways in which people write that."""
_WITH_COLUMNS = frozenset({"tabular", "series", "cluster", "explore"})
"""Kinds of project whose data's columns are quantities; of pictures and sounds the catalogue lists classes."""
_OUTCOMES = frozenset(
    re.findall(
        r"\w+",
        "setosa versicolor virginica survived churn attrition exited quality species outcome target label class price "
        "sales positive negative spam ham fraud approved transported diagnosis malignant benign",
    )
)
"""What the catalogue lists among columns and is to be foretold: no quantity to look at."""
_PLAIN = {
    "image": "a small network",
    "tabular": "a plain regression",
    "text": "a plain text classifier",
    "series": "a seasonal model",
    "recommender": "a nearest-neighbour recommender",
    "llm": "retrieval with a language model",
    "audio": "a small network on spectrograms",
    "control": "the usual agent",
    "explore": "a plain comparison",
    "cluster": "k-means",
    "graph": "a small graph network",
    "generate": "a small generator",
}
_PEOPLE = frozenset({"Bayes", "Markov", "Kalman", "Gaussian", "Boltzmann", "Siamese", "Fourier", "Monte", "Carlo"})
_COUNTED = frozenset({"classifier", "forest", "forests", "machine", "machines", "model", "network", "networks", "tree"})
"""Last words of methods that need an article in a sentence."""
_JARGON = re.compile(
    r"million|thousand|support|confidence|lift|regressor|beats|minute|forecast|best|second|kind|title|draw|draws|drawn|drew|boxes|weights|plotted|counts|count|means|mean|built|found|takes|take|gives|goes|come|comes|"
    r"until|while|year|years|month|months|hour|hours|half|still|also|into|onto|upon|look|looks|right|left|"
    r"about|tells|tell|says|given|gives|using|photo|photos|openai|faiss|langchain|streamlit|upload|learns|learn|play|plays|watch|reach|show|shows|people|find|time|work|first|real|every|many|some|only|just|also|often|accuracy|after|algorithm|algorithms|also|analysis|application|approach|based|before|bert|"
    r"best|better|between|chart|charts|class|classes|classification|classifier|classify|column|"
    r"columns|could|dashboard|data|dataset|datasets|decision|deep|detect|detection|different|does|"
    r"each|elbow|feature|features|file|files|forest|form|forms|from|good|have|high|image|images|"
    r"into|kaggle|keras|kinds|know|known|label|labels|large|learning|less|linear|list|logistic|"
    r"lstm|machine|made|make|makes|method|methods|model|models|more|most|network|networks|neural|"
    r"notebook|number|numbers|other|over|page|plot|plots|predict|predicted|predicting|prediction|"
    r"predicts|project|public|python|pytorch|random|recognise|recognition|regression|result|results|"
    r"rows|same|score|scores|sets|simple|sklearn|small|such|system|table|task|tasks|tell|"
    r"tensorflow|test|testing|tests|text|texts|than|that|their|them|then|they|this|three|train|"
    r"trained|training|tree|type|types|under|used|uses|using|usual|value|values|various|very|well|"
    r"were|what|when|where|which|whom|will|with|would|xgboost|your"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the advice may name.

    Attributes:
        seed: of the text's words, so that two users of one cliché get different advice, and one user the same again.
        family: kind of project, out of ``handbook.FAMILIES`` without ``any``.
        dataset: the one that the results most probably rest on.
        cliche: the theme that it comes nearest to.
        domains: its domains, nearest first.
        words: words for its domain, at most three: the text's own, or columns of its data.
        figure: the score that the text reports, as it stands there; empty if it reports none.
        ground: catalogue ids that the advice rests on, best first; never empty where anything at all came near.
    """

    seed: str
    family: str
    dataset: Dataset | None
    cliche: Cliche | None
    domains: tuple[str, ...]
    method: str
    theme: str
    words: tuple[str, ...]
    figure: str
    ground: tuple[str, ...]


def subject(reading: Reading, matches: Sequence[Match], catalogue: Catalogue) -> Subject:
    """Gather what the matches say, and what merely comes near where they say nothing."""
    dataset = _dataset(matches, catalogue)
    cliche = _cliche(reading, matches, catalogue, dataset)
    family = _family(reading, matches, catalogue, dataset, cliche)
    theme = _theme(dataset, cliche, reading)
    near = sorted(reading.overall, key=lambda e: (-reading.overall[e], e))
    followed = [m.entry for m in matches if m.kind == "tutorial"][:1]
    ground = [e.id for e in (cliche, dataset) if e] or followed or near[:1]
    return Subject(
        seed=hashlib.sha256(reading.folded.encode("utf-8", "replace")).hexdigest(),
        family=family,
        dataset=dataset,
        cliche=cliche,
        domains=_domains(near, catalogue, dataset, cliche),
        method=_method(reading, matches, catalogue) or _PLAIN[family],
        theme=theme,
        words=_words(
            reading, [e for e in (dataset, cliche) if e] or [catalogue.entries[e] for e in near[:3]], theme, family
        ),
        figure=_figure(reading),
        ground=tuple(ground or [next(iter(catalogue.cliches))]),
    )


def _dataset(matches: Sequence[Match], catalogue: Catalogue) -> Dataset | None:
    resting = [m for m in matches if m.kind == "dataset" and m.role == "rests_on"]
    # The tier breaks near ties: of two candidates, the one that everybody uses is the one to speak of.
    tier = {m.entry: catalogue.datasets[m.entry].tier for m in resting}
    best = min(resting, key=lambda m: (-round(m.confidence, 1), tier[m.entry], m.entry), default=None)
    return catalogue.datasets[best.entry] if best else None


def _cliche(reading: Reading, matches: Sequence[Match], catalogue: Catalogue, dataset: Dataset | None) -> Cliche | None:
    """Choose the theme: a cliché that the dataset is typical of counts for more than one that only sounds alike."""
    weight: dict[str, float] = {}
    for entry, cosine in reading.overall.items():
        if entry in catalogue.cliches:
            nearest = reading.nearest[entry].cosine if entry in reading.nearest else cosine
            weight[entry] = max(cosine, nearest)
    for match in matches:
        if match.kind == "cliche":
            weight[match.entry] = weight.get(match.entry, match.cosine) + 0.1
    if dataset:
        weight = {e: w for e, w in weight.items() if _like(catalogue.cliches[e], dataset, catalogue)}
        for cliche in catalogue.cliches.values():
            if dataset.id in cliche.datasets:
                weight[cliche.id] = weight.get(cliche.id, 0.0) + 0.35
    best = min(weight, key=lambda e: (-weight[e], e), default=None)
    # A dataset of one's own kind that no cliché knows needs a surer sign than one that it does.
    bar = NEAR_CLICHE + (0.13 if dataset and best and dataset.id not in catalogue.cliches[best].datasets else 0.0)
    if best is None or weight[best] < min(bar, 0.6):
        return None
    found = catalogue.cliches[best]
    # Data that the theme doesn't know, and no word of it in the text: then they only sound alike.
    foreign = dataset is not None and dataset.id not in found.datasets
    return None if foreign and not _speaks_of(reading, found) else found


def _speaks_of(reading: Reading, cliche: Cliche) -> bool:
    """Tell whether a text in English has a word of a theme's name; of one in another language that can't be said."""
    named = {word[:5] for word in _parts([cliche.name]) if not _JARGON.fullmatch(word)}
    return reading.brief.language not in {"en", "und"} or any(word in reading.folded for word in named)


def _like(cliche: Cliche, dataset: Dataset, catalogue: Catalogue) -> bool:
    """Tell whether a theme deals with the dataset's kind of data: birdsong isn't Flappy Bird."""
    kinds = {catalogue.datasets[each].modality for each in cliche.datasets}
    return not kinds or dataset.modality in kinds


def _family(
    reading: Reading, matches: Sequence[Match], catalogue: Catalogue, dataset: Dataset | None, cliche: Cliche | None
) -> str:
    votes: Counter[str] = Counter()

    def vote(family: str | None, weight: int) -> None:
        if family:
            votes[family] += weight

    def of_dataset(one: Dataset, weight: int) -> None:
        vote(_OF_MODALITY.get(one.modality), weight)
        vote(_OF_TASK.get(one.tasks[0]) if one.tasks else None, weight)

    if dataset:
        of_dataset(dataset, 4)
    for match in matches:
        if match.kind == "technique" and match.role == "uses":
            vote(_OF_TECHNIQUES.get(catalogue.techniques[match.entry].family), 1 if dataset else 3)
    if cliche and not dataset:
        for each in cliche.datasets[:2]:
            of_dataset(catalogue.datasets[each], 1)
        for each in cliche.techniques[:3]:
            vote(_OF_TECHNIQUES.get(catalogue.techniques[each].family), 1)
    if not votes:
        near = sorted(reading.overall, key=lambda e: (-reading.overall[e], e))
        for each in [e for e in near if e in catalogue.datasets][:5]:
            of_dataset(catalogue.datasets[each], 1)
    return min(votes, key=lambda f: (-votes[f], f), default="tabular")


def _domains(near: list[str], catalogue: Catalogue, dataset: Dataset | None, cliche: Cliche | None) -> tuple[str, ...]:
    found = [dataset.domain] if dataset else []
    if cliche:
        found += [catalogue.datasets[each].domain for each in cliche.datasets]
        found += [catalogue.alternatives[each].domain for each in cliche.alternatives]
    if not found:
        found = [catalogue.datasets[e].domain for e in near if e in catalogue.datasets][:2]
    return tuple(dict.fromkeys(found))


def _method(reading: Reading, matches: Sequence[Match], catalogue: Catalogue) -> str:
    """Name the first method that does the work; of a name that lists several, the one that the text uses."""
    used = {m.entry for m in matches if m.kind == "technique" and m.role == "uses"}
    found = [m for m in reading.mentions if m.entry in used and m.sure]
    fit = [m for m in found if catalogue.techniques[m.entry].family not in _NO_METHOD]
    for mention in sorted(fit, key=lambda m: catalogue.techniques[m.entry].family in _ONLY_FEATURES):
        name = catalogue.techniques[mention.entry].name
        return _in_prose(mention.alias if "/" in name or "(" in name else name)
    return ""


def _in_prose(method: str) -> str:
    """Write a method's name as it stands inside a sentence: "passive aggressive classifier", but "naive Bayes"."""
    told = " ".join(w if w in _PEOPLE else lower_first(w) for w in method.split())
    return f"the {told}" if told.rsplit(" ", 1)[-1] in _COUNTED else told


def _theme(dataset: Dataset | None, cliche: Cliche | None, reading: Reading) -> str:
    if cliche and (not dataset or _speaks_of(reading, cliche)):
        parts = re.sub(r"\s*\(.*?\)", "", cliche.name).split(" / ")
        return lower_first(max(parts, key=lambda part: sum(w in reading.folded for w in part.casefold().split())))
    if dataset:
        return f"{dataset.tasks[0]} on {re.sub(r' *[(].*?[)]', '', dataset.name)}" if dataset.tasks else dataset.name
    title = reading.brief.title or next((s.text for s in reading.brief.sentences if s.counted), "")
    return clipped(title, 8) or "this idea"


def _figure(reading: Reading) -> str:
    """Find the first score in the prose: a number that stands beside the name of a measure."""
    prose = (reading.brief.sentences[i].text for i in reading.counted)
    found = next((m for text in prose if (m := _SCORE.search(text[:READ_CHARS]))), None)
    return next((part.strip() for part in found.groups() if part), "") if found else ""


def _words(reading: Reading, entries: Sequence[object], theme: str, family: str) -> tuple[str, ...]:
    """Pick words that the text shares with what it comes near, in the text's order; jargon says nothing of a domain.

    Columns and parts of a theme's name are things; words of a description only fill in where these are missing. Where
    the text has nothing but the theme's name, columns say more: "heart and disease" are no two things.
    """
    things: set[str] = set()
    described: set[str] = set()
    names: set[str] = set()
    for entry in entries:
        columns = {c.casefold() for c in getattr(entry, "columns", ())}
        things |= _parts(columns)
        if getattr(entry, "kind", "") == "cliche":
            things |= _parts([getattr(entry, "name", "")])
        described |= _parts([getattr(entry, "about", ""), *getattr(entry, "tells", ())])
        names |= _parts([getattr(entry, "name", ""), *getattr(entry, "aliases", ())]) - _parts(columns)
    # A tool's name says how, not what about.
    names |= _parts([reading.brief.text[m.span.start : m.span.end] for m in reading.mentions if m.kind == "technique"])
    text = reading.brief.text[:READ_CHARS]
    own = [w for w in re.findall(r"[^\W\d_]{4,}", text) if not _JARGON.fullmatch(w.casefold())]
    # What has a capital inside a sentence is a name, and names make poor slices.
    plain = [w.casefold() for w in own if w.islower() or not re.search(rf"[\w,] {re.escape(w)}", text)]
    for known in (things, described - names):
        found = tuple(dict.fromkeys(w for w in plain if w in known))
        if found:
            if set(found) <= _parts([theme]):
                # Torn apart, a name says less than it did: "heart and disease".
                return _columns(entries) if family in _WITH_COLUMNS else found[: family in {"image", "audio"}]
            return found[:3]
    return ()


def _columns(entries: Sequence[object]) -> tuple[str, ...]:
    """List up to three columns that read as words: those that somebody uses in prose; never fewer than two."""
    prose = " ".join(text for e in entries for text in (getattr(e, "about", ""), *getattr(e, "tells", ()))).casefold()
    told = (re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", c).casefold() for e in entries for c in getattr(e, "columns", ()))
    named = (c for c in told if re.fullmatch(r"[a-z]{3,}(?: [a-z]{3,})?", c) and c not in _OUTCOMES)
    plain = [c for c in named if re.search(rf"\b{c}\b", prose)]
    return tuple(plain[:3]) if len(plain) > 1 else ()


def _parts(texts: Iterable[str]) -> set[str]:
    return {w for text in texts for w in re.findall(r"[^\W\d_]{4,}", text.casefold())}
