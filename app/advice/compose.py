"""Writes the candidates: which play, filled with which source and scene, in which order."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import intake
from app.advice import phrases, sources
from app.advice.subject import Subject, subject
from app.advice.voice import clipped, ended, jitter, lower_first, pick, tell, upper_first, voiced
from app.records import Resource, Suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.advice.handbook import Handbook, Play, Scene
    from app.advice.voice import Voice
    from app.catalogue import Alternative, Catalogue
    from app.records import About, Facets, Match, Reading, VerdictLabel

OWN_WORDS = 110
"""How much of a text that is already good goes into a rewrite; enough to keep what made it good."""

KEPT_WORDS = 70
"""The same for a text to which something comes from outside."""

_PLANS: dict[VerdictLabel, tuple[str, ...]] = {
    "well_worn": ("way", "scene", "way", "known", "way", "known", "scene", "alternative", "scene"),
    "partly_known": ("way", "scene", "known", "scene", "way", "own", "known", "scene"),
    "original": ("own",) * 5,
    "off_topic": ("offtopic",) * 3,
    "unclear": ("unclear",) * 3,
}
"""Where the candidates come from; each costs a reading, so there are few to spare. Ways are written for one theme and
come first; a scene and what is known of the text stand between them, so that two people with one theme get different
lists."""
_HINTS = frozenset({"offtopic", "stray", "unclear"})
"""Plays for texts that hold no project to speak of: nothing is said of its theme, for it has none."""
_STRAY = ("stray", "stray")
_SOFTWARE = re.compile(
    r"\b(?:apps?|websites?|web|platform|react|vue|angular|node|express|django|flask|next\.?js|mern|api|backend|frontend|"
    r"android|ios|flutter|swift|kotlin|game|unity|plugin|extension|bot|dashboard|portal|clone|shop|tool|cli|script|"
    r"arduino|servo|raspberry|sensor|device|database|css|html|javascript|typescript|java|unity|login|server)\b"
)
"""By these words a text that is off topic still tells of something that was built."""
_BORROWED = ("own", "way", "scene", "own", "known", "scene", "own")
"""For an original text whose data are not its author's: there the plays on one's own data alone would miss."""
_STEERED = ("scene", "alternative", "way", "known", "scene", "known", "alternative", "way")
"""The same for a worn text whose author said what they like: scenes and sources follow that, ways can't."""
_WITH_COMPANY = frozenset({"alternative", "scene", "twist", "bare", "known", "own", "way"})
_SAME_TASK = frozenset({"play-scene-shift", "play-scene-before"})
"""Plays that try the present model on the scene."""
_OF_MODALITY = {
    "play-k-ser-live": "time series",
    "play-k-llm-time": "text",
    "play-k-ser-interval": "time series",
    "play-k-tab-live": "",
}
"""Plays that rest on a source of one kind, or of any, where others only need company."""
_LIVING = frozenset({"play-alt-watch", "play-k-ser-live", "play-k-tab-live", "play-twist-run"})
"""Plays that ask a source anew every day: it has to have something new by then."""
_KIN = {"cluster": "tabular", "explore": "tabular", "generate": "image", "graph": "text", "recommender": "tabular"}
_NEEDS_GPU = frozenset({"image", "text", "llm", "audio", "generate"})
_SKILLS: tuple[tuple[str, frozenset[str]], ...] = (
    (r"web|javascript|front|react|design|mobile|android", frozenset({"product", "user", "shown"})),
    (r"arduino|electronic|hardware|raspberry|embedded|solder", frozenset({"constraint", "own-data"})),
    (r"statist|math|econom|causal|research", frozenset({"metric", "win", "question-new", "errors"})),
    (r"sql|data engineer|cloud|docker|aws|devops|backend", frozenset({"monitor", "deploy", "raw", "data-work"})),
    (r"writ|journal|blog|teach|present", frozenset({"shown", "user", "audit"})),
)
FIGURED = 0.5
"""Share of a text's suggestions that take up the score that it reports: all of them would only repeat it."""


_ORDERS = re.compile(
    r"photograph|adapt|add|answer|apply|archive|ask|audit|balance|bench|blur|build|calibrate|caption|change|"
    r"charge|check|clean|cluster|collect|colour|compare|conduct|count|date|decide|describe|design|"
    r"detect|do|estimate|explain|extract|fill|find|flag|follow|forecast|foretell|generate|give|"
    r"guide|handle|hear|help|interview|invent|join|keep|label|learn|link|log|look|make|map|"
    r"measure|mine|model|move|name|optimise|personalise|pick|plan|predict|prepare|promise|publish|"
    r"quantify|quote|re-identify|read|recognise|recommend|refuse|remove|replace|restore|review|run|"
    r"score|segment|separate|serve|show|spot|study|suggest|summarise|support|teach|tell|test|trace|"
    r"track|train|transfer|translate|use|value|warn|watch|weigh|work|write"
)
"""Verbs with which the catalogue's twists give an order."""


@dataclass(frozen=True, slots=True)
class _Filling:
    """What fills the slots of a play, beside the subject itself."""

    alternative: Alternative
    scene: Scene
    twist: str = ""


def suggest(
    reading: Reading,
    facets: Facets,
    verdict: VerdictLabel,
    matches: Sequence[Match],
    catalogue: Catalogue,
    handbook: Handbook,
    about: About | None = None,
) -> list[Suggestion]:
    """Write candidates for one text, best first; ``choose`` keeps those that prove themselves.

    Returns:
        Nine for a worn text, eight for a partly known one, five to seven for an original one, three hints otherwise.
        The same text and author always give the same list.
    """
    topic = subject(reading, matches, catalogue)
    writer = _Writer(topic, reading, facets, catalogue, handbook, about)
    return [writer.write(play, filling, verdict) for play, filling in writer.plan(verdict)]


def control(reading: Reading, verdict: VerdictLabel, matches: Sequence[Match], catalogue: Catalogue) -> str:
    """Tell the idea in the form of its rewrites with nothing new in it.

    What this alone moves is the form's doing: a suggestion has to move more.
    """
    again = "I did it again with the same data and the same method, more carefully, and wrote down what I found."
    if verdict == "partly_known":
        return f"{_own_text(reading, KEPT_WORDS)} {phrases.ONWARD[0]} {again}"
    topic = subject(reading, matches, catalogue)
    return f"My data are {_data(topic)} and my method is {topic.method}. {again}"


class _Writer:
    """Holds what the candidates of one text share; itself it never changes."""

    def __init__(
        self,
        topic: Subject,
        reading: Reading,
        facets: Facets,
        catalogue: Catalogue,
        handbook: Handbook,
        about: About | None,
    ) -> None:
        self._topic = topic
        self._reading = reading
        self._facets = facets
        self._handbook = handbook
        self._about = about
        self._ranked = sources.alternatives(topic, catalogue, about)
        self._company = sources.company(self._ranked, topic, about)
        self._scenes = sources.scenes(topic, handbook, about)
        self._fitting = sources.fitting(self._scenes, topic)
        # Outside English nearness of meaning is chance: where nothing was matched by name, no source can be near.
        self._unplaced = not (topic.dataset or topic.cliche) and reading.brief.language not in {"en", "und"}
        self._ways = self._ways_out(catalogue)
        self._liking = f"{about.interests} {about.place}" if about else ""

    def plan(self, verdict: VerdictLabel) -> Iterator[tuple[Play, _Filling]]:
        """Pair plays with what fills them; no play, alternative or twist comes twice."""
        twists = self._twists()
        taken = {a.id for a in self._ways.values()} | {a.id for _, a in twists if a}
        alternatives = [a for a in self._ranked if a.id not in taken]
        places: Iterator[Scene] = iter(self._scenes)
        told: set[str] = set()
        facets: Counter[str] = Counter()
        passing = 0
        steered = verdict == "well_worn" and sources.interests(self._about)
        borrowed = verdict == "original" and self._facets.data.status != "own"
        stray = verdict == "off_topic" and not _SOFTWARE.search(self._reading.folded)
        plan = _STEERED if steered else _BORROWED if borrowed else _STRAY if stray else _PLANS[verdict]
        if verdict in {"off_topic", "unclear"}:
            # Its nearest entries are near by chance; its own words, or its author's interests, name a field or none.
            field = {*sources.fields(self._reading.folded), *sources.interests(self._about)}
            # Those of the field first, and others behind them: a field may have fewer than there are hints.
            alternatives = sorted(self._ranked, key=lambda a: a.domain not in field)
            told |= set() if field else {"play-off-source"}
        for wanted in plan:
            source, twist, given = wanted, "", None
            if wanted == "way" and not self._ways.keys() - told:
                source = "scene"
                if twists:
                    twist, given = twists.pop(0)
                    source = "twist" if given else "bare"
            scene = next(places) if source == "scene" else None
            play = self._pick(source, told, facets, scene, given)
            if play is None:
                continue
            told.add(play.id)
            facets[play.facet] += 1
            if source == "way":
                given = self._ways[play.id]
            elif source in {"alternative", *_HINTS}:
                given = next(a for a in alternatives if play.id not in _LIVING or sources.is_living(a))
                alternatives.remove(given)
            elif given is None and play.id in _OF_MODALITY:
                given = next(a for a in self._company if self._can_carry(a, play))
            elif given is None:
                # Here a source only keeps company, and a few that suit do better than many that don't.
                given = self._company[passing % len(self._company)]
                passing += 1
            yield (
                play,
                _Filling(given, scene or self._beside(source, given, passing), twist),
            )

    def _ways_out(self, catalogue: Catalogue) -> dict[str, Alternative]:
        """List the ways out of the text's theme, each with its source, or with one near by where that is elsewhere."""
        found = {}
        for way in self._handbook.ways:
            if self._topic.cliche is None or way.theme != self._topic.cliche.id:
                continue
            source = catalogue.alternatives[way.alternative]
            if sources.elsewhere(source, self._about):
                if "{alt}" in f"{way.task}{way.reason}{way.first}{way.second}".casefold():
                    continue
                source = self._company[0]
            found[way.play().id] = source
        return found

    def _can_carry(self, alternative: Alternative, play: Play) -> bool:
        """Tell whether a source is of the kind on which a play rests."""
        if play.id in _LIVING and not sources.is_living(alternative):
            return False
        return sources.is_close(alternative, self._topic) and _OF_MODALITY[play.id] in {"", *alternative.modalities}

    def _pick(
        self, source: str, told: set[str], facets: Counter[str], scene: Scene | None, given: Alternative | None
    ) -> Play | None:
        family = self._topic.family

        def worth(play: Play) -> float:
            worth = jitter(self._topic.seed, self._liking, play.id) - 0.45 * facets[play.facet] + self._leaning(play)
            # Without a dataset there is little to say of "the usual data" of a theme.
            vague = self._topic.dataset is None and "{dataset}" in f"{play.title}{play.detail}"
            return worth - 0.7 * (play.family == _KIN.get(family)) - 0.6 * vague

        ways = [w.play() for w in self._handbook.ways if f"play-{w.id}" in self._ways] if source == "way" else []
        fit = [
            p
            for p in (*self._handbook.plays, *ways)
            if p.source == source and p.family in {"any", family, _KIN.get(family)} and p.id not in told
        ]
        if scene is not None and not sources.is_themed(scene, self._topic):
            # A model from leaves can't be tried on flats: only a scene of the theme has the same task.
            fit = [p for p in fit if p.id not in _SAME_TASK]
        fit = [p for p in fit if p.id not in _OF_MODALITY or any(self._can_carry(a, p) for a in self._company)]
        if given is not None and not sources.is_living(given):
            fit = [p for p in fit if p.id not in _LIVING]
        if source == "known" and self._topic.dataset is None:
            fit = [p for p in fit if "{dataset}" not in p.title + p.rewrite] or fit
        return min(fit, key=lambda p: (-worth(p), p.id), default=None)

    def _leaning(self, play: Play) -> float:
        """Weigh what the author can do, how long they have, and on what machine."""
        about = self._about
        if about is None:
            return 0.0
        principle = play.principle.removeprefix("principle-")
        leaning = 0.6 * any(
            re.search(words, about.skills.casefold()) and principle in wanted for words, wanted in _SKILLS
        )
        if about.hours is not None:
            short, long = sources.hurried(about), about.hours >= 60
            by_effort = {
                "a weekend": 1.2 * short - 0.4 * long,
                "two weeks": 0.3 * short,
                "a month": 0.5 * long - 2.0 * short,
            }
            leaning += by_effort[play.effort] - 0.8 * (short and sources.takes_long(play.detail))
        if re.search(r"raspberry|arduino|esp32|phone|micro|board", about.hardware.casefold()):
            leaning += 0.8 * (principle == "constraint")
        return leaning

    def _beside(self, source: str, alternative: Alternative, passing: int) -> Scene:
        """Find a scene for a play that is not about it; an alternative's people must fit its question."""
        if source == "alternative":
            return next((s for s in self._scenes if s.domain == alternative.domain), self._scenes[0])
        return self._fitting[passing % len(self._fitting)]

    def _twists(self) -> list[tuple[str, Alternative | None]]:
        """List the cliché's ways out in this text's own order, each with the source that it names."""
        cliche = self._topic.cliche
        if cliche is None:
            return []
        named = {a.id: a for a in self._ranked}
        found: list[tuple[str, Alternative | None]] = []
        for twist in sorted(cliche.twists, key=lambda t: (jitter(self._topic.seed, t), t)):
            plain = re.sub(r"\s*\(https?://[^)]*\)+", "", twist)
            if not _ORDERS.fullmatch(plain.split(" ", 1)[0].rstrip(",").casefold()):
                continue  # a bare theme makes no sentence
            by_name = [named[a] for a in cliche.alternatives if a in named and named[a].name in twist]
            if not by_name or not sources.elsewhere(by_name[0], self._about):
                found.append((plain, by_name[0] if by_name else None))
        return found

    def write(self, play: Play, filling: _Filling, verdict: VerdictLabel) -> Suggestion:
        """Tell one play twice: to the reader as advice, and as they would tell it themselves."""
        seed = f"{self._topic.seed}{play.id}"
        you, me = self._slots(filling, "you", seed), self._slots(filling, "me", seed)
        title, detail = tell(play.title, you, "you", seed), tell(play.detail, you, "you", f"{seed}d")
        if play.source not in _HINTS and not self._names_own(f"{title} {detail}"):
            detail += " " + tell(pick(phrases.ANCHORS, seed), you, "you")
        if self._topic.figure and play.source != "own" and jitter(seed, "figure") < FIGURED:
            detail += " " + phrases.FIGURES[play.facet].format(figure=self._topic.figure)
        accompanied = play.source in _WITH_COMPANY and not self._unplaced
        if accompanied and you["alt"].casefold() not in f"{title} {detail}".casefold():
            detail += " " + tell(pick(phrases.COMPANY, seed), you, "you")
        if sources.hurried(self._about) and (play.effort == "a month" or sources.takes_long(detail)):
            detail += " " + pick(phrases.SLICES, seed).format(hours=f"{self._about.hours:g}" if self._about else "")
        if filling.alternative.licence == "terms apply" and filling.alternative.name in f"{title} {detail}":
            detail += " Read its terms before you publish anything."
        rewrite = tell(play.rewrite, me, "me", seed)
        if verdict in {"partly_known", "original"} and play.source != "own":
            rewrite = f"{_own_text(self._reading, KEPT_WORDS)} {pick(phrases.ONWARD, seed)} {rewrite}"
        principle = self._handbook.principles[play.principle]
        alternative = filling.alternative
        filler = filling.scene.id if play.source == "scene" else alternative.id
        spoken_of = accompanied or "{alt}" in play.detail.lower()
        named = [Resource(alternative.name, alternative.url or "")] if spoken_of else []
        cited = [alternative.id] if spoken_of else []
        return Suggestion(
            id=f"{play.id.removeprefix('play-')}.{filler.removeprefix('alt-')}",
            title=upper_first(title),
            detail=upper_first(detail),
            first_steps=(upper_first(tell(play.first, you, "you")), upper_first(tell(play.second, you, "you"))),
            facet=play.facet,
            effort=play.effort,
            resources=(*named, Resource(principle.source, principle.url)),
            entries=tuple(dict.fromkeys([*cited, *self._topic.ground, principle.id])),
            rewrite=upper_first(rewrite),
        )

    def _slots(self, filling: _Filling, voice: Voice, seed: str) -> Mapping[str, str]:
        topic, alternative, scene = self._topic, filling.alternative, filling.scene
        place = (self._about.place.strip() if self._about else "") or voiced("[your|my] town", voice)
        here = {"place": place}
        way = voiced(_way(alternative), voice)
        pulled = "recorded" if "sensor" in alternative.access else "pulled"
        amount = pick(phrases.AMOUNTS[alternative.modalities[0]], seed)
        got = f"pulled {amount} from {alternative.name} {way}"
        if alternative.access == ("sensor",):
            got = f"set up my own {re.sub('^Own ', '', alternative.name)} and recorded {amount}"
        question = alternative.question
        theme = f"“{topic.theme}”"
        base = {
            "alt": re.sub(r"^Own\b", "your own" if voice == "you" else "my own", alternative.name),
            "collect": tell(scene.collect, here, voice),
            "collected": tell(scene.collect, here, "me"),
            "aim": f"I set out to {lower_first(filling.twist)}",
            "dataset": _data(topic),
            "decision": scene.decision,
            "fetched": f"read {alternative.name} {way}",
            "got": got,
            "how": way,
            "how_mine": f"{pulled} {way}",
            "method": topic.method,
            "method_short": "model",
            "place": place,
            "pulled": pulled,
            "question": question,
            "question_bare": lower_first(question.rstrip("?")),
            "refresh": _refresh(alternative.refresh),
            "source_step": f"Get one small slice of {alternative.name} {way} and read fifty records of it",
            "subject": theme,
            "theme": theme,
            "thing": tell(scene.thing, here, voice),
            "twist": lower_first(filling.twist),
            "who": scene.who,
            "who_own": "one person who has this problem",
            "words": _series(topic.words) or phrases.FALLBACK_WORDS.get(topic.family, theme),
        }
        small = self._about and re.search(r"no gpu|without (?:a )?gpu|cpu|laptop", self._about.hardware.casefold())
        stays = phrases.STAYS_SMALL if small and topic.family in _NEEDS_GPU else phrases.STAYS
        return base | {
            "method_stays": tell(pick(stays, seed), base, voice),
            "text": _own_text(self._reading, OWN_WORDS),
            "quote": self._quote(14),
            "short": self._quote(6),
            "own_line": f"It grew out of this: {_own_text(self._reading, 30)}",
        }

    def _names_own(self, text: str) -> bool:
        topic = self._topic
        words = [w for w in topic.words if w in self._reading.folded]
        named = [topic.theme, *words, *([_data(topic)] if topic.dataset else []), self._quote(14)]
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in named)

    def _quote(self, words: int) -> str:
        """Quote the sentence that shows best what is the author's own."""
        brief = self._reading.brief
        best = [i for i, found in zip(self._reading.counted, self._reading.cues, strict=True) if "own_data" in found]
        chosen = (best or list(self._reading.counted))[:1]
        return f"“{clipped(intake.as_written(brief, chosen[0]), words)}”" if chosen else "your text"


def _own_text(reading: Reading, words: int) -> str:
    brief = reading.brief
    prose = [intake.as_written(brief, i) for i in reading.counted] or [brief.text]
    return ended(clipped(" ".join(map(ended, prose)), words))


def _way(alternative: Alternative) -> str:
    if "sensor" in alternative.access and len(alternative.access) == 1:
        way = phrases.WAYS["sensor"]
    elif "api" in alternative.access and "API" in alternative.name:
        way = "with a few lines of code"
    else:
        way = " or ".join(phrases.WAYS[a] for a in alternative.access if a != "sensor")
    return way


def _data(topic: Subject) -> str:
    if topic.dataset is None:
        return f"the usual “{topic.theme}” data"
    name = re.sub(r"\s*\(.*?\)", "", topic.dataset.name)
    return f"the {name}" if re.search(r"data(?:base|set)?$", name, re.IGNORECASE) else f"the {name} data"


def _refresh(text: str) -> str:
    if text in phrases.REFRESH:
        return phrases.REFRESH[text]
    return f"every {text}" if text.endswith(("s", "years")) else text


def _series(words: tuple[str, ...]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
