"""Ranks the places where fresh data can be had: little-used public sources, and scenes that one can record oneself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.advice.voice import jitter

if TYPE_CHECKING:
    from app.advice.handbook import Handbook, Scene
    from app.advice.subject import Subject
    from app.catalogue import Alternative, Catalogue
    from app.records import About

_NEAR_DOMAINS: dict[str, tuple[str, ...]] = {
    "agriculture": ("food", "climate", "remote sensing", "nature"),
    "art": ("books", "documents"),
    "astronomy and physics": ("engineering", "teaching"),
    "biology": ("nature", "chemistry", "health"),
    "books": ("art", "language", "knowledge"),
    "chemistry": ("food", "environment", "teaching"),
    "cities and transport": ("environment", "property", "remote sensing"),
    "climate": ("environment", "energy", "agriculture"),
    "commerce": ("food", "economy", "finance", "work"),
    "documents": ("art", "society", "knowledge"),
    "economy": ("society", "work", "finance"),
    "education": ("knowledge", "work", "society"),
    "energy": ("climate", "engineering"),
    "engineering": ("energy", "vehicles"),
    "environment": ("climate", "nature", "cities and transport"),
    "everyday scenes": ("remote sensing", "cities and transport", "nature"),
    "fashion": ("commerce", "art"),
    "film": ("books", "music", "games"),
    "finance": ("economy", "commerce", "society"),
    "food": ("agriculture", "health", "commerce"),
    "games": ("sport", "teaching"),
    "health": ("food", "society", "people"),
    "knowledge": ("language", "society", "software"),
    "language": ("knowledge", "news", "society"),
    "medical imaging": ("health",),
    "music": ("sound", "film"),
    "nature": ("environment", "biology", "agriculture"),
    "news": ("language", "society", "social media"),
    "people": ("health", "work", "society"),
    "property": ("cities and transport", "economy", "energy"),
    "remote sensing": ("environment", "agriculture", "climate"),
    "security": ("software", "finance", "social media"),
    "social media": ("language", "news", "society"),
    "society": ("economy", "news", "cities and transport"),
    "software": ("security", "work"),
    "sound": ("music", "nature"),
    "sport": ("health", "games"),
    "teaching": ("nature", "documents", "education"),
    "travel": ("cities and transport", "property", "climate"),
    "vehicles": ("cities and transport", "engineering"),
    "work": ("economy", "education", "society"),
}
_EVERY_DAY = frozenset(
    {"live", "continuous", "seconds", "minutes", "5 minutes", "15 minutes", "30 minutes", "hours", "hourly", "daily"}
    | {"nightly"}
)
FEW_HOURS = 12
"""Up to here nobody has months, whatever a scene asks for."""
_LONG = re.compile(r"\b(?:months?|weeks|winter|summer|season|years?)\b")
LIKED = 7.0
"""Weight of what the author says they like: more than that of the project's own theme and domain together."""
_INTERESTS: dict[str, str] = {
    "agriculture": r"farm|garden|crop|agricult|plant",
    "art": r"\bart\b|museum|design|paint|craft",
    "astronomy and physics": r"astronom|space|physic|stars?\b",
    "biology": r"biolog|gen(?:es?\b|etic|om)|cells?\b",
    "books": r"book|read(?:ing|ers?)?\b|literatur|librar|poet",
    "chemistry": r"chemi|material|brew",
    "cities and transport": r"cit(?:y|ies)\b|transport|bus(?:es)?\b|trains\b|railway|cycl|bik|traffic|urban|transit",
    "climate": r"climate|weather",
    "commerce": r"shop|retail|market|commerce|e-?commerce",
    "documents": r"archive|handwrit|document|histor",
    "economy": r"econom|inequal|poverty",
    "education": r"educat|teach|school|student",
    "energy": r"energy|solar|electric|batter",
    "engineering": r"engineer|machin(?!e[ -]learning)|robot|electronic|makers?\b",
    "environment": r"environment|pollut|water|river|recycl|waste",
    "fashion": r"fashion|cloth",
    "film": r"film|movie|cinema|\btv\b",
    "finance": r"financ|bank|invest|insur|money",
    "food": r"food|cook(?:s|ing)?\b|kitchen|nutrition|restaurant|bak(?:e|ing|er)",
    "games": r"(?:video)?gam(?:es?|ing)\b|chess|e-?sport|board game",
    "health": r"health|medic|hospital|nurs|doctor|fitness|care\b",
    "language": r"languag|linguist|translat|dialect|speech",
    "music": r"music|guitar|song|band|piano",
    "nature": r"nature|bird|animal|wildlife|hik|insect|bees?\b|butterfl|forest|seas?\b|fish",
    "news": r"news|journalis|media",
    "people": r"psycholog|accessib|disab",
    "property": r"hous|rent|property|architect",
    "remote sensing": r"satellit|maps?\b|mapping|geograph",
    "security": r"secur|fraud|scam|privacy|hack",
    "social media": r"social media|forum|online communit",
    "society": r"laws?\b|legal|politic|society|govern|justice|crime|charit|communit",
    "software": r"software|open source|programm|devops",
    "sound": r"sound|audio|podcast|radio",
    "sport": r"sport|football|soccer|cricket|basket|running|gym|climb",
    "travel": r"travel|hotel|touris",
    "vehicles": r"\bcars?\b|motor|driv",
    "work": r"\bjob|career|work|hiring|\bhr\b",
}
PLACES = {
    "uk": r"\buk\b|britain|england|scotland|wales|london|manchester|leeds|glasgow|"
    r"edinburgh|bristol|birmingham|cardiff|belfast|sheffield|liverpool",
    "us": r"\busa?\b|united states|america|new york|chicago|boston|seattle|austin|houston|"
    r"california|texas|san francisco|los angeles|denver|atlanta",
    "eu": r"europe|porto|lisbo|portugal|spain|madrid|barcelona|sevill|france|paris|lyon|"
    r"german|berlin|munich|hamburg|ital|rome|milan|netherlands|amsterdam|belgi|"
    r"brussels|austria|vienna|poland|warsaw|krak|czech|prague|greece|athens|sweden|"
    r"stockholm|denmark|copenhagen|finland|helsinki|ireland|dublin|romania|buchar|"
    r"hungar|budapest|croatia|bulgaria|sofia",
    "france": r"france|paris|lyon|marseille|toulouse|nantes|lille|bordeaux",
    "india": r"india\b|delhi|mumbai|bengal|bangalore|chennai|kolkata|hyderabad|pune|kerala",
    "australia": r"australia|sydney|melbourne|brisbane|perth|adelaide",
    "africa": r"africa|lagos|nigeria|abuja|kenya|nairobi|ghana|accra|ethiopia|addis|uganda|"
    r"kampala|tanzania|dar es|zimbabwe|harare|rwanda|kigali|senegal|dakar|"
    r"johannesburg|cape town|egypt|cairo|morocco|casablanca|tunis",
    "brazil": r"bra[sz]il|paulo|\brio\b|salvador|recife|fortaleza|porto alegre|belo horizonte|curitiba",
    "poland": r"poland|polska|warsaw|krak|gda\u0144sk|gdansk|wroc",
    "czechia": r"czech|prague|brno",
    "estonia": r"estonia|tallinn|tartu",
    "netherlands": r"netherlands|holland|amsterdam|rotterdam|utrecht|the hague",
    "germany": r"german|deutschland|berlin|munich|m\u00fcnchen|hamburg|cologne|frankfurt|leipzig",
    "norway": r"norw|oslo|bergen|trondheim",
    "latin america": r"latin america|argentin|buenos aires|urugua|montevideo|peru|lima\b|m[e\u00e9]xic|colombia|"
    r"bogot|medell|chile|santiago|ecuador|quito|bolivia|venezuela|caracas|guatemala|costa rica|bra[sz]il",
    "argentina": r"argentin|buenos aires|c[o\u00f3]rdoba|rosario",
    "uruguay": r"urugua|montevideo",
    "peru": r"\bper[u\u00fa]\b|lima\b|cusco|arequipa",
    "mexico": r"m[e\u00e9]xic|guadalajara|monterrey|puebla",
    "colombia": r"colombia|bogot|medell|cali\b",
    "hong kong": r"hong kong|kowloon",
    "taiwan": r"taiwan|taipei",
    "korea": r"korea|seoul|busan",
    "japan": r"japan|tokyo|osaka|kyoto",
    "south-east asia": r"singapore|indonesia|jakarta|bandung|thai|bangkok|viet ?nam|hanoi|saigon|"
    r"ho chi minh|malaysia|kuala lumpur|philippin|manila",
    "singapore": r"singapore",
    "indonesia": r"indonesia|jakarta|bandung|surabaya|yogyakarta",
    "thailand": r"thai|bangkok|chiang mai",
    "vietnam": r"viet ?nam|hanoi|saigon|ho chi minh|da nang",
    "malaysia": r"malaysia|kuala lumpur|penang|johor",
    "turkey": r"turk|t\u00fcrk|istanbul|ankara|izmir",
    "ukraine": r"ukrain|kyiv|lviv|odesa|kharkiv",
}
"""How people name a place of each region of the catalogue's vocabulary, as a regular expression."""
_FORMS_OF = {
    "image": ("image", "video", "geospatial"),
    "generate": ("image", "text", "audio"),
    "tabular": ("tabular", "events", "geospatial"),
    "text": ("text",),
    "series": ("time series", "series", "events"),
    "recommender": ("recommender", "tabular", "graph"),
    "llm": ("text", "llm"),
    "audio": ("audio",),
    "control": ("control", "time series", "events", "series"),
    "explore": ("tabular", "events", "geospatial", "time series"),
    "cluster": ("cluster", "tabular", "events"),
    "graph": ("graph", "text", "tabular"),
}


def interests(about: About | None) -> tuple[str, ...]:
    """Read the domains out of what somebody likes."""
    return fields(about.interests.casefold()) if about else ()


def fields(text: str) -> tuple[str, ...]:
    """Read the domains out of a text in lower case, by words that belong to them."""
    return tuple(domain for domain, words in _INTERESTS.items() if re.search(rf"\b(?:{words})", text))


def alternatives(topic: Subject, catalogue: Catalogue, about: About | None) -> list[Alternative]:
    """Order every alternative by how well it suits; the first few are fit to be shown."""
    return sorted(catalogue.alternatives.values(), key=lambda a: (-_fit(a, topic, about), a.id))


def company(ranked: list[Alternative], topic: Subject, about: About | None) -> list[Alternative]:
    """Pick the sources that one may set beside a project: those that the catalogue links to it, else the nearest.

    A source of one country keeps company only where the catalogue links it or the author lives there.
    """
    usable = [a for a in ranked if a.access != ("sensor",) and not elsewhere(a, about)]
    linked = sorted((a for a in usable if _linked(a, topic)), key=lambda a: bool(a.region))
    at_home = bool(about and about.place)
    taken = {a.id for a in linked}
    free = [a for a in usable if a.id not in taken and (at_home or not a.region)]
    around = {n for domain in topic.domains[:2] for n in _NEAR_DOMAINS.get(domain, ())}
    near = sorted(free, key=lambda a: -2 * (a.domain in topic.domains) - (a.domain in around))
    return (linked if len(linked) > 1 else linked + near[: 3 - len(linked)])[:4]


def fitting(ranked: list[Scene], topic: Subject) -> list[Scene]:
    """Pick scenes whose people may stand beside a project: those of its theme, else of its domain."""
    themed = [s for s in ranked if is_themed(s, topic)]
    near = [s for s in ranked[:6] if s.domain in topic.domains[:1]]
    return (themed or near or ranked)[:2]


def is_close(alternative: Alternative, topic: Subject) -> bool:
    """Tell whether a source is of the project's own matter, not merely near it."""
    return _linked(alternative, topic) or alternative.domain in topic.domains


def is_living(alternative: Alternative) -> bool:
    """Tell whether a source has something new every day, and can be asked for it."""
    return alternative.refresh in _EVERY_DAY and alternative.access != ("dump",)


def is_themed(scene: Scene, topic: Subject) -> bool:
    """Tell whether a scene leads out of the project's own theme."""
    return topic.cliche is not None and topic.cliche.id in scene.themes


def _linked(alternative: Alternative, topic: Subject) -> bool:
    dataset, cliche = topic.dataset, topic.cliche
    return bool(
        (dataset and dataset.id in alternative.replaces_datasets)
        or (cliche and (cliche.id in alternative.replaces_cliches or alternative.id in cliche.alternatives))
    )


def scenes(topic: Subject, handbook: Handbook, about: About | None) -> list[Scene]:
    """Order the scenes of the project's kind and domain, one's own interests first."""
    liked = interests(about)
    near = {d for domain in topic.domains[:2] for d in _NEAR_DOMAINS.get(domain, ())}
    wanted = _FORMS_OF[topic.family]

    def fit(scene: Scene) -> float:
        form = next((1.2 - 0.2 * i for i, f in enumerate(wanted) if f in scene.forms), 0.0)
        domain = 1.0 * (scene.domain in near)
        if scene.domain in topic.domains:
            domain = 3.0 if scene.domain == topic.domains[0] else 2.2
        return (
            2.6 * form
            + domain
            + 3.5 * (scene.domain in liked)
            + 4.0 * is_themed(scene, topic)
            - 4.0 * (hurried(about) and takes_long(scene.collect))
            + 1.2 * jitter(topic.seed, scene.id)
        )

    return sorted(handbook.scenes, key=lambda s: (-fit(s), s.id))


def _fit(alternative: Alternative, topic: Subject, about: About | None) -> float:
    fit = 1.2 * jitter(topic.seed, alternative.id)
    fit += 3.5 * _linked(alternative, topic)
    if alternative.domain in topic.domains:
        fit += 2.5 if alternative.domain == topic.domains[0] else 1.8
    elif any(alternative.domain in _NEAR_DOMAINS.get(domain, ()) for domain in topic.domains[:2]):
        fit += 1.0
    fit += next((1.5 - 0.3 * i for i, f in enumerate(_FORMS_OF[topic.family]) if f in alternative.modalities), 0.0)
    return fit + _suits(alternative, topic, about)


def _suits(alternative: Alternative, topic: Subject, about: About | None) -> float:
    """Weigh what the author says of themselves."""
    if about is None:
        return 0.0
    fit = LIKED * (alternative.domain in interests(about))
    region = alternative.region
    if region and about.place:
        # To be from the same part of the world is no reason by itself: dams in Tunis are nothing to a gamer in Lagos.
        home = 2.0 if alternative.domain in {*topic.domains, *interests(about)} or _linked(alternative, topic) else 0.0
        fit += home if re.search(PLACES[region], about.place.casefold()) else -5.0
    if "sensor" in alternative.access:
        fit += 1.5 * bool(
            re.search(r"arduino|raspberry|esp32|electronic|solder", f"{about.skills} {about.hardware}".casefold())
        )
        fit -= 2.0 * hurried(about)
    return fit


def hurried(about: About | None) -> bool:
    """Tell whether the author has a few hours only."""
    return bool(about and about.hours is not None and about.hours <= FEW_HOURS)


def takes_long(task: str) -> bool:
    """Tell whether a task runs over weeks or months."""
    return bool(_LONG.search(task))


def elsewhere(alternative: Alternative, about: About | None) -> bool:
    """Tell whether a source covers one region and the author lives in another."""
    region = alternative.region
    return bool(region and about and about.place and not re.search(PLACES[region], about.place.casefold()))
