"""Holds the advice to its promises: specific, grounded, various, steered, and chosen by what it moves."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.advice import Handbook, Offer, choose, control, keep, overlap, settle, sources, suggest
from app.advice.handbook import DATA, EFFORTS, FACETS
from app.advice.selection import MARGIN, NEAR_DUPLICATE
from app.advice.subject import subject
from app.advice.voice import clipped, ended, lower_first, tell, voiced
from app.catalogue import Catalogue
from app.errors import BadInput, CatalogueInvalid
from app.intake import read
from app.records import (
    About,
    Evidence,
    Facet,
    Facets,
    Hit,
    Match,
    Projected,
    Reading,
    Resource,
    Span,
    Suggestion,
    VerdictLabel,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

CASES = Path(__file__).parent / "cases" / "ideas.dev.jsonl"
WORN = Facets(Facet("worn"), Facet("known"), Facet("known", ("k-means clustering",)), Facet("none"))
HEALTH = About("health", "Porto", "statistics", 10, "no GPU")
GAMES = About("games", "Lagos", "web development", 100, "a GPU and a Raspberry Pi")
LABELS: tuple[VerdictLabel, ...] = ("well_worn", "partly_known", "original", "off_topic", "unclear")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """Give the released catalogue."""
    return Catalogue.load()


@pytest.fixture(scope="module")
def handbook() -> Handbook:
    """Give the released handbook."""
    return Handbook.load()


def _reading(text: str, near: dict[str, float], catalogue: Catalogue) -> Reading:
    """Build a reading without model or index: what is near is given."""
    brief = read(text)
    counted = tuple(i for i, s in enumerate(brief.sentences) if s.counted)
    hits = {e: Hit(e, catalogue.entries[e].kind, "name", c, 0) for e, c in near.items()}  # type: ignore[arg-type]
    own = {"own_data": Span(0, min(20, len(text)))} if re.search(r"photographed|recorded|our ", text) else {}
    return Reading(
        brief=brief,
        counted=counted,
        vectors=np.zeros((len(counted) + 1, 384), np.float32),
        states=tuple(np.zeros((1, 384), np.float16) for _ in counted),
        folded=f" {text.casefold()} ",
        mentions=(),
        cues=tuple(own if i == 0 else {} for i in range(len(counted))),
        nearest=hits,
        overall=dict(near),
    )


def _match(entry: str, catalogue: Catalogue) -> Match:
    kind = catalogue.entries[entry].kind
    role = {"dataset": "rests_on", "technique": "uses"}.get(kind, "resembles")
    return Match(entry, kind, role, 0.7, 0.9)  # type: ignore[arg-type]


def _about_dataset(dataset: str, text: str, catalogue: Catalogue) -> tuple[Reading, list[Match]]:
    themes = [c.id for c in catalogue.cliches.values() if dataset in c.datasets][:1]
    near = {dataset: 0.6} | dict.fromkeys(themes, 0.55)
    return _reading(text, near, catalogue), [_match(e, catalogue) for e in near]


def _worn_cases(catalogue: Catalogue) -> list[tuple[str, Reading, list[Match]]]:
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    found = []
    for row in rows:
        if row["verdict"] == "well_worn" and row["dataset_ids"] and row["dataset_ids"][0] in catalogue.datasets:
            reading, matches = _about_dataset(row["dataset_ids"][0], row["text"], catalogue)
            found.append((row["id"], reading, matches))
    return found


def _suggestion(number: int, facet: str, detail: str = "") -> Suggestion:
    words = detail or " ".join(c * 5 + chr(97 + number) for c in "abcdefgh")
    return Suggestion(
        id=f"s{number}",
        title=words,
        detail=words,
        first_steps=("one", "two"),
        facet=facet,  # type: ignore[arg-type]
        effort="a weekend",
        resources=(Resource("a", "https://example.org/"),),
        entries=("titanic",),
        rewrite="I did it.",
    )


# --- the handbook ------------------------------------------------------------------------------------------------


def test_the_handbook_names_only_what_the_catalogue_knows(handbook: Handbook, catalogue: Catalogue) -> None:
    """Scenes lie in the catalogue's domains and lead out of its clichés; regions name its alternatives."""
    domains = {d.domain for d in catalogue.datasets.values()} | {a.domain for a in catalogue.alternatives.values()}
    assert {s.domain for s in handbook.scenes} <= domains
    assert {t for s in handbook.scenes for t in s.themes} <= catalogue.cliches.keys()
    assert sources.PLACES.keys() == {a.region for a in catalogue.alternatives.values() if a.region}


def test_every_way_out_is_grounded_and_whole(handbook: Handbook, catalogue: Catalogue) -> None:
    """Each leads out of a theme that there is, with a source that there is; it is told fully in both voices."""
    assert {w.theme for w in handbook.ways} <= catalogue.cliches.keys()
    assert {w.alternative for w in handbook.ways} <= catalogue.alternatives.keys()
    assert len({w.title for w in handbook.ways}) == len({w.task for w in handbook.ways}) == len(handbook.ways)
    for way in handbook.ways:
        you, me = (tell(way.task, _AnySlot(), voice) for voice in ("you", "me"))
        assert you != me, way.id
        assert me.startswith("I ") or " I " in me, (way.id, me)
        assert not re.search(r"\bI\b", you), (way.id, you)
        assert 18 <= len(you.split()) <= 60, (way.id, len(you.split()))
        assert all(text.endswith(".") for text in (way.task, way.reason)), way.id


def test_a_way_that_keeps_the_data_says_so(handbook: Handbook) -> None:
    """The rewrite names what stays, so that the judge sees the step and not a text without a past."""
    for way in handbook.ways:
        assert way.play().rewrite.startswith("My data are {dataset}") is way.keeps, way.id
        assert "{method}" in way.play().rewrite, way.id


def test_every_principle_has_a_source_and_a_play(handbook: Handbook) -> None:
    """No principle is quoted without its source, none is there without use."""
    assert all(p.url.startswith(("https://", "http://")) and p.source for p in handbook.principles.values())
    assert {p.principle for p in handbook.plays} >= handbook.principles.keys() - {"principle-simple"}


def test_every_template_can_be_told_in_both_voices(handbook: Handbook) -> None:
    """No template keeps a bracket or a slot when it has been told."""
    for play in handbook.plays:
        for text in (play.title, play.detail, play.first, play.second, play.rewrite):
            told = tell(text, _AnySlot(), "me", "seed")
            assert not re.search(r"[{}<>~]|\[[^\]]*\|", told), (play.id, told)


class _AnySlot(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "this"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "plays.jsonl:1: not JSON"),
        ('{"id": "play-x"}', "plays.jsonl:1: has not the fields"),
        ('"text"', "plays.jsonl:1: has not the fields"),
    ],
)
def test_a_broken_line_is_named(line: str, complaint: str, tmp_path: Path) -> None:
    """A fault in the handbook says where it stands."""
    for name in ("principles.jsonl", "scenes.jsonl", "ways.jsonl"):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    (tmp_path / "plays.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match=re.escape(complaint)):
        Handbook.load(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("facet", "style", "field 'facet' is 'style'"),
        ("title", "", "field 'title' is empty"),
        ("title", "about {nothing}", "unknown slot 'nothing'"),
        ("principle", "principle-none", "field 'principle' is 'principle-none'"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: str, complaint: str, tmp_path: Path) -> None:
    """A value outside its closed list, an empty one and an unknown slot are refused."""
    for name in ("principles.jsonl", "scenes.jsonl", "plays.jsonl", "ways.jsonl"):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    lines = (tmp_path / "plays.jsonl").read_text(encoding="utf-8").splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | {field: value})
    (tmp_path / "plays.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match=re.escape(complaint)) as caught:
        Handbook.load(tmp_path)
    assert "plays.jsonl:3" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """An incomplete installation says what to restore."""
    with pytest.raises(CatalogueInvalid, match=r"principles\.jsonl: can't be read"):
        Handbook.load(tmp_path)


# --- what is suggested ---------------------------------------------------------------------------------------------


def test_each_suggestion_is_complete_and_grounded(catalogue: Catalogue, handbook: Handbook) -> None:
    """Over all worn cases: two steps, a known facet and effort, catalogue ids that resolve, links of the catalogue."""
    links = {e.url for e in catalogue.entries.values()} | {p.url for p in handbook.principles.values()}
    for name, reading, matches in _worn_cases(catalogue):
        found = suggest(reading, WORN, "well_worn", matches, catalogue, handbook)
        assert len(found) >= 8, name
        for one in found:
            known = [e for e in one.entries if not e.startswith("principle-")]
            assert known, (name, one.id)
            assert all(e in catalogue.entries for e in known), one.entries
            assert all(e in handbook.principles for e in one.entries if e not in known)
            assert any(e in catalogue.alternatives for e in known), "a concrete other source belongs to each"
            assert {r.url for r in one.resources} <= links
            assert one.facet in FACETS
            assert one.effort in EFFORTS
            assert len(one.first_steps) == 2
            assert 20 <= len(one.rewrite.split()) <= 160, (one.id, one.rewrite)
            assert re.search(r"\b(?:I|we|me|my|us|me)\b", one.rewrite), (one.id, one.rewrite)
            assert not re.search(r"[{}<>~]|\[[^\]]*\|", f"{one.title}{one.detail}{one.first_steps}{one.rewrite}"), (
                one.id
            )


def test_each_suggestion_names_something_of_the_project(catalogue: Catalogue, handbook: Handbook) -> None:
    """Title or detail speaks of the dataset, the theme or the text's own words."""
    for name, reading, matches in _worn_cases(catalogue):
        dataset = catalogue.datasets[matches[0].entry]
        own = {re.sub(r"\s*\(.*?\)", "", dataset.name).casefold()}
        for match in matches[1:]:
            name_of = re.sub(r"\s*\(.*?\)", "", catalogue.cliches[match.entry].name)
            own |= {part.casefold() for part in name_of.split(" / ")}
        words = set(re.findall(r"[^\W\d_]{4,}", reading.brief.text.casefold()))
        for one in suggest(reading, WORN, "well_worn", matches, catalogue, handbook):
            said = f"{one.title} {one.detail}".casefold()
            domain = words & set(
                re.findall(
                    r"[^\W\d_]{4,}",
                    " ".join(
                        [
                            dataset.about,
                            *dataset.tells,
                            *dataset.columns,
                            *(
                                t
                                for m in matches[1:]
                                for t in (catalogue.cliches[m.entry].about, *catalogue.cliches[m.entry].tells)
                            ),
                        ]
                    ).casefold(),
                )
            )
            assert any(o in said for o in own) or any(w in said for w in domain), (name, one.id, said)


def test_candidates_cover_the_facets_and_never_repeat(catalogue: Catalogue, handbook: Handbook) -> None:
    """All four facets are offered, no id and no title twice."""
    for name, reading, matches in _worn_cases(catalogue):
        found = suggest(reading, WORN, "well_worn", matches, catalogue, handbook)
        assert {s.facet for s in found} == set(FACETS), name
        assert len({s.id for s in found}) == len({s.title for s in found}) == len(found), name


def test_the_same_text_gets_the_same_advice(catalogue: Catalogue, handbook: Handbook) -> None:
    """Nothing is drawn at random."""
    reading, matches = _about_dataset("titanic", "titanic survival w/ logistic regression", catalogue)
    first = suggest(reading, WORN, "well_worn", matches, catalogue, handbook)
    assert first == suggest(reading, WORN, "well_worn", matches, catalogue, Handbook.load())


def test_two_users_of_a_cliche_get_different_advice(catalogue: Catalogue, handbook: Handbook) -> None:
    """At most a third of the texts are shared between two tellings of one cliché."""
    texts = ("titanic survival with random forest", "Who survives the Titanic? I compare four classifiers on it.")
    told = []
    for text in texts:
        reading, matches = _about_dataset("titanic", text, catalogue)
        told.append({s.detail for s in suggest(reading, WORN, "well_worn", matches, catalogue, handbook)})
    assert len(told[0] & told[1]) <= len(told[0]) / 3


def test_what_one_says_of_oneself_steers(catalogue: Catalogue, handbook: Handbook) -> None:
    """Health, Porto and ten hours give another list than games, Lagos and a hundred; places reach the text."""
    reading, matches = _about_dataset("telco-churn", "customer churn on the telco data with XGBoost", catalogue)
    health = suggest(reading, WORN, "well_worn", matches, catalogue, handbook, HEALTH)
    games = suggest(reading, WORN, "well_worn", matches, catalogue, handbook, GAMES)
    assert len({s.detail for s in health} & {s.detail for s in games}) <= 1
    domains = [{catalogue.alternatives[s.entries[0]].domain for s in some[:2]} for some in (health, games)]
    assert "health" in domains[0]
    assert "games" in domains[1]
    assert any("Porto" in s.rewrite for s in health)
    assert any("Lagos" in s.rewrite for s in games)
    assert not any("Lagos" in s.rewrite + s.detail for s in health)
    months = [sum(s.effort == "a month" for s in some) for some in (health, games)]
    assert months[0] < months[1]
    assert any(catalogue.alternatives[s.entries[0]].domain == "health" for s in health)


def test_sources_of_another_country_are_left_out(catalogue: Catalogue, handbook: Handbook) -> None:
    """Somebody in Lagos isn't sent to a British register by a twist, nor offered one beside a scene."""
    reading, matches = _about_dataset("boston-housing", "house prices with linear regression", catalogue)
    for one in suggest(reading, WORN, "well_worn", matches, catalogue, handbook, About(place="Lagos")):
        assert getattr(catalogue.entries[one.entries[0]], "region", "") in {"", "africa"}, one.id


def test_a_small_machine_is_respected(catalogue: Catalogue, handbook: Handbook) -> None:
    """Without a GPU the advice says that none is needed."""
    reading, matches = _about_dataset("plantvillage", "leaf disease with EfficientNet on PlantVillage", catalogue)
    found = suggest(reading, WORN, "well_worn", matches, catalogue, handbook, About(hardware="laptop, no GPU"))
    assert any("frozen" in s.detail.casefold() for s in found)


def test_no_text_serves_more_than_one_idea_in_twenty(catalogue: Catalogue, handbook: Handbook) -> None:
    """With the names of entries masked, no detail, title or rewrite comes up for more than 5 % of the worn ideas."""
    cases = _worn_cases(catalogue)
    counts: Counter[str] = Counter()
    for _, reading, matches in cases:
        found = suggest(reading, WORN, "well_worn", matches, catalogue, handbook)[:5]
        names = {
            re.sub(r"\s*\(.*?\)", "", catalogue.entries[e].name)
            for s in found
            for e in s.entries
            if e in catalogue.entries
        }
        names |= {catalogue.entries[e].name for s in found for e in s.entries if e in catalogue.entries}
        told = {text for s in found for text in (s.title, s.detail, s.rewrite)}
        for name in sorted(names, key=len, reverse=True):
            told = {text.replace(name, "#") for text in told}
        counts.update(told)
    worst, times = counts.most_common(1)[0]
    assert times <= 0.05 * len(cases), worst


def test_no_two_candidates_say_the_same(catalogue: Catalogue, handbook: Handbook) -> None:
    """Within one list, title and detail share at most half of their words."""
    for name, reading, matches in _worn_cases(catalogue):
        said = [
            set(re.findall(r"[^\W\d_]{4,}", f"{s.title} {s.detail}".casefold()))
            for s in suggest(reading, WORN, "well_worn", matches, catalogue, handbook)[:5]
        ]
        for one, other in combinations(said, 2):
            assert len(one & other) <= 0.6 * len(one | other), name


def test_an_original_text_is_kept_in_its_rewrites(catalogue: Catalogue, handbook: Handbook) -> None:
    """What made it original stays, and something is added; the advice quotes it."""
    text = "I photographed 4,000 leaves in our orchard and labelled the rust myself with two agronomists."
    reading = _reading(text, {"plantvillage": 0.5, "cliche-plant-disease": 0.5}, catalogue)
    found = suggest(reading, replace(WORN, data=Facet("own")), "original", [], catalogue, handbook)
    assert len(found) >= 4
    assert all(s.rewrite.startswith(text) and len(s.rewrite) > len(text) + 60 for s in found)
    assert any("4,000 leaves" in s.detail for s in found)


def test_unclear_and_off_topic_texts_get_a_few_hints(catalogue: Catalogue, handbook: Handbook) -> None:
    """A hint for an unclear text leaves slots open rather than inventing facts."""
    reading = _reading("something with AI", {"cliche-crud-app-with-ai": 0.3}, catalogue)
    hints = suggest(reading, WORN, "unclear", [], catalogue, handbook)
    assert 2 <= len(hints) <= 3
    assert all(s.rewrite.startswith("Something with AI") and "[" in s.rewrite for s in hints)
    reading = _reading("A to-do app with React and login.", {"cliche-crud-app-with-ai": 0.4}, catalogue)
    assert 2 <= len(suggest(reading, WORN, "off_topic", [], catalogue, handbook)) <= 3


@pytest.mark.parametrize("verdict", ["off_topic", "unclear"])
def test_a_field_of_few_sources_gives_hints_as_well(
    verdict: VerdictLabel, catalogue: Catalogue, handbook: Handbook
) -> None:
    """Where a text's field has fewer sources than there are hints, others follow."""
    theirs = [e for e, source in catalogue.alternatives.items() if source.domain == "education"]
    poor = replace(catalogue, alternatives={e: s for e, s in catalogue.alternatives.items() if e not in theirs[1:]})
    for number in range(5):
        reading = _reading(f"An app for students at school, number {number}, with a dark mode.", {}, poor)
        assert sources.fields(reading.folded) == ("education",)
        hints = suggest(reading, WORN, verdict, [], poor, handbook)
        assert len({h.id for h in hints}) == len(hints) == 3


def test_hints_fit_what_the_text_is(catalogue: Catalogue, handbook: Handbook) -> None:
    """Software hears what would make it a data project, and from its own field or none; what is no project, to say one.

    Nothing is said of a theme, for there is none: nobody has seen a question on pip "fifty times".
    """
    shop = _reading("A shop in Django with a cart and Stripe.", {"cliche-plagiarism-checker": 0.4}, catalogue)
    hints = suggest(shop, WORN, "off_topic", [], catalogue, handbook)
    named = [catalogue.alternatives[e] for s in hints for e in s.entries if e in catalogue.alternatives]
    assert {one.domain for one in named} <= {"commerce"}
    todo = _reading("A to-do list with React and MongoDB.", {"gutenberg": 0.3}, catalogue)
    assert not any(s.title.startswith("Feed it") for s in suggest(todo, WORN, "off_topic", [], catalogue, handbook))
    asked = _reading("how do i install pandas?? pip says externally managed", {"gutenberg": 0.3}, catalogue)
    stray = suggest(asked, WORN, "off_topic", [], catalogue, handbook)
    assert [s.id.split(".")[0] for s in stray] in (["stray-idea", "stray-start"], ["stray-start", "stray-idea"])
    for one in (*hints, *stray):
        assert "\u201c" not in f"{one.title} {one.detail}"


def test_a_hint_with_open_places_promises_nothing() -> None:
    """What stands in brackets was not tried, whatever the judge would make of it."""
    open_one, told = replace(_suggestion(1, "data"), rewrite="The data are [which]."), _suggestion(2, "use")
    tried = [(open_one, Projected("original", 0.01)), (told, Projected("original", 0.02))]
    assert [after for _, after in choose(tried, "unclear", 0.4)] == [
        Projected("unclear", 0.4),
        Projected("original", 0.02),
    ]


def test_where_the_form_alone_moves_the_verdict_only_the_best_one_counts() -> None:
    """A retelling without a new fact came out partly known: so a suggestion that does as well owes that to its form."""
    tried = [
        (_suggestion(1, "data"), Projected("partly_known", 0.2)),
        (_suggestion(2, "use"), Projected("original", 0.05)),
    ]
    kept = choose(tried, "well_worn", 0.95, Projected("partly_known", 0.4))
    assert [s.id for s, _ in kept] == ["s2"]
    assert len(choose(tried, "well_worn", 0.95, Projected("well_worn", 0.8))) == 2


def test_a_reported_score_is_taken_up_by_some_and_never_by_the_rewrite(
    catalogue: Catalogue, handbook: Handbook
) -> None:
    """Some suggestions speak of the author's own score as it stands in the text; a number that is none stays out."""
    text = "Plant disease on PlantVillage, 38 classes, split 80/20. EfficientNet reached an accuracy of 98.7%."
    reading, matches = _about_dataset("plantvillage", text, catalogue)
    found = suggest(reading, WORN, "well_worn", matches, catalogue, handbook)
    told = ["98.7%" in s.detail for s in found]
    assert 0 < sum(told) < len(told)
    assert not any("98.7" in s.rewrite for s in found)
    plain, matches = _about_dataset("plantvillage", text.partition(" EfficientNet")[0], catalogue)
    assert not any("Your 80" in s.detail for s in suggest(plain, WORN, "well_worn", matches, catalogue, handbook))


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("I got 81% but 80% of flights are on time.", "81%"),
        ("LSTM and 1D-CNN, RMSE 14.2 on test", "RMSE 14.2"),
        ("MAPE 10% on six weeks", "MAPE 10%"),
        ("F1 0.82 on the held-out part", "0.82"),
        ("with 92 % test accuracy", "92 %"),
        ("70% train, 30% test, 5,863 images, k=5", ""),
        ("It was 100% fun, and 99 Luftballons.", ""),
    ],
)
def test_a_score_is_a_number_beside_its_measure(text: str, figure: str, catalogue: Catalogue) -> None:
    """Shares, counts and settings are no scores."""
    assert subject(_reading(text, {"titanic": 0.4}, catalogue), [], catalogue).figure == figure


def test_few_hours_get_no_months(catalogue: Catalogue, handbook: Handbook) -> None:
    """Ten hours: nothing of a month goes first, and what runs over weeks says what a tenth of it is."""
    for name, reading, matches in _worn_cases(catalogue)[:12]:
        found = suggest(reading, WORN, "well_worn", matches, catalogue, handbook, HEALTH)
        long = [s for s in found if s.effort == "a month" or sources.takes_long(s.detail)]
        assert all("10 hours" in s.detail for s in long), name
        assert not any(s.effort == "a month" for s in found[:5]), name
        many = suggest(reading, WORN, "well_worn", matches, catalogue, handbook, GAMES)
        assert not any("100 hours" in s.detail for s in many), name


def test_what_runs_every_day_asks_a_source_that_changes(catalogue: Catalogue, handbook: Handbook) -> None:
    """A forecast each morning needs something new each morning: no file that comes out once a year."""
    living = {a.name for a in catalogue.alternatives.values() if sources.is_living(a)}
    seen = 0
    for name, reading, matches in _worn_cases(catalogue):
        for about in (None, HEALTH, GAMES):
            for one in suggest(reading, WORN, "well_worn", matches, catalogue, handbook, about):
                if one.id.startswith(("alt-watch.", "k-ser-live.", "k-tab-live.", "twist-run.")):
                    seen += 1
                    assert one.resources[0].name in living, (name, one.id)
    assert seen


def test_a_region_counts_only_where_the_matter_fits(catalogue: Catalogue, handbook: Handbook) -> None:
    """Somebody in Lagos who likes games isn't sent to the dams of Tunisia because both are in Africa."""
    reading, matches = _about_dataset("titanic", "titanic survival w/ logistic regression", catalogue)
    ranked = sources.alternatives(subject(reading, matches, catalogue), catalogue, GAMES)
    assert [a.domain for a in ranked[:3]] == ["games"] * 3
    assert "alt-data-gov-tn" not in {a.id for a in ranked[:6]}


def test_torn_names_are_not_spoken_of(catalogue: Catalogue) -> None:
    """A theme's name isn't taken apart: columns stand in for it where the data have some that one can say."""
    reading, matches = _about_dataset("titanic", "titanic survival w/ logistic regression", catalogue)
    assert subject(reading, matches, catalogue).words == ("sex", "age", "fare")
    text = "Fake news detection with TF-IDF on news.csv"
    reading, matches = _about_dataset("fake-real-news-isot", text, catalogue)
    assert subject(reading, matches, catalogue).words == ()


def test_a_theme_that_only_sounds_alike_is_left(catalogue: Catalogue) -> None:
    """Trading agents are no Mario: a theme that doesn't know the data needs a word of its own in the text."""
    near = {"trading-env": 0.7, "cliche-snake-rl": 0.62}
    for text, theme in (("PPO trades the Dow Jones 30 in a backtest", None), ("PPO plays Mario", "cliche-snake-rl")):
        reading = _reading(text, near, catalogue)
        found = subject(reading, [_match("trading-env", catalogue)], catalogue).cliche
        assert (found.id if found else None) == theme


@pytest.mark.parametrize("label", LABELS)
def test_nothing_near_still_gives_grounded_advice(
    label: VerdictLabel, catalogue: Catalogue, handbook: Handbook
) -> None:
    """A text that comes near no entry at all doesn't break the advice."""
    for one in suggest(_reading("x", {}, catalogue), WORN, label, [], catalogue, handbook):
        assert any(e in catalogue.entries for e in one.entries)


@settings(max_examples=25, deadline=None)
@given(text=st.text(min_size=1, max_size=200))
def test_no_text_breaks_the_advice(text: str) -> None:
    """Braces, brackets, pipes and other scripts in a text are never read as a template."""
    catalogue, handbook = _LOADED
    try:
        reading = _reading(text, {"titanic": 0.4, "cliche-titanic-survival": 0.4}, catalogue)
    except BadInput:
        assume(False)  # what the door refuses is no matter of advice
    for label in LABELS:
        for one in suggest(reading, WORN, label, [_match("titanic", catalogue)], catalogue, handbook):
            assert one.title
            assert one.rewrite


_LOADED = (Catalogue.load(), Handbook.load())


# --- what is chosen ------------------------------------------------------------------------------------------------


def test_what_moves_nothing_is_not_shown() -> None:
    """For a worn text a suggestion must change the verdict or lower the probability by a real margin."""
    tried = [
        (_suggestion(1, "data"), Projected("original", 0.1)),
        (_suggestion(2, "use"), Projected("well_worn", 0.9 - MARGIN / 2)),
        (_suggestion(3, "method"), Projected("well_worn", 0.9 - 2 * MARGIN)),
        (_suggestion(4, "question"), Projected("off_topic", 0.0)),
    ]
    assert [s.id for s, _ in choose(tried, "well_worn", 0.9)] == ["s1", "s3"]


def test_a_low_probability_can_still_fall() -> None:
    """A partly known text at .08 can't fall by a tenth; half of it counts."""
    tried = [
        (_suggestion(1, "data"), Projected("partly_known", 0.03)),
        (_suggestion(2, "use"), Projected("partly_known", 0.07)),
    ]
    assert [s.id for s, _ in choose(tried, "partly_known", 0.08)] == ["s1"]


def test_an_original_is_never_made_worse() -> None:
    """For an original, what comes out worse is dropped and what comes out alike may stay."""
    tried = [
        (_suggestion(1, "use"), Projected("original", 0.05)),
        (_suggestion(2, "data"), Projected("partly_known", 0.05)),
        (_suggestion(3, "method"), Projected("original", 0.4)),
    ]
    assert [s.id for s, _ in choose(tried, "original", 0.05)] == ["s1"]


def test_what_the_form_alone_moves_is_no_proof() -> None:
    """If the text retold with nothing new falls as far, the suggestion is not shown."""
    tried = [
        (_suggestion(1, "data"), Projected("original", 0.02)),
        (_suggestion(2, "use"), Projected("partly_known", 0.25)),
    ]
    fooled = Projected("partly_known", 0.3)
    assert [s.id for s, _ in choose(tried, "well_worn", 0.9)] == ["s1", "s2"]
    assert [s.id for s, _ in choose(tried, "well_worn", 0.9, fooled)] == ["s1"]
    assert [s.id for s, _ in choose(tried, "original", 0.9, fooled)] == ["s1"]


def test_the_control_adds_nothing(catalogue: Catalogue) -> None:
    """It names data and method, or keeps the text, and claims no new fact."""
    reading, matches = _about_dataset("titanic", "Titanic survival with a table of fares.", catalogue)
    assert control(reading, "well_worn", matches, catalogue).startswith("My data are the Titanic passengers data")
    assert control(reading, "partly_known", matches, catalogue).startswith("Titanic survival with a table of fares.")


def test_facets_come_in_turn() -> None:
    """No facet comes twice before each that moves has come once; at most five are shown."""
    facets = ["data", "data", "data", "question", "question", "method", "use", "use"]
    tried = [(_suggestion(i, f), Projected("original", 0.1)) for i, f in enumerate(facets)]
    chosen = choose(tried, "well_worn", 0.9)
    assert [s.facet for s, _ in chosen][:4] == ["data", "question", "method", "use"]
    assert len(chosen) == 5


def test_near_duplicates_are_dropped() -> None:
    """Of two that share most of their words the better stays."""
    same = "measure what every error costs the person whom it concerns"
    tried = [(_suggestion(i, "data", same), Projected("original", 0.1)) for i in range(3)]
    assert len(choose(tried, "well_worn", 0.9)) == 1


@given(
    outcomes=st.lists(
        st.tuples(st.sampled_from(FACETS), st.sampled_from(LABELS), st.floats(0, 1)), min_size=0, max_size=12
    ),
    before=st.sampled_from(LABELS[:3]),
    probability=st.floats(0, 1),
)
def test_the_choice_keeps_its_promises(
    outcomes: Sequence[tuple[str, VerdictLabel, float]], before: VerdictLabel, probability: float
) -> None:
    """Whatever the judge says: nothing worse, nothing twice, never too many, and three wherever three distinct move."""
    rank = {"original": 0, "partly_known": 1, "well_worn": 2}
    tried = [(_suggestion(i, f), Projected(v, p)) for i, (f, v, p) in enumerate(outcomes)]
    chosen = choose(tried, before, probability)
    assert len(chosen) <= (5 if before == "well_worn" else 4)
    assert len({s.id for s, _ in chosen}) == len(chosen)
    for _, projected in chosen:
        assert rank[projected.verdict] <= rank[before]
    moving = [
        p for _, p in tried if p.verdict in rank and rank[p.verdict] < rank[before] and p.flag_probability < probability
    ]
    if before == "well_worn":
        assert len(chosen) >= min(3, len(moving))


OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from(FACETS), st.sampled_from(LABELS), st.floats(0, 1), st.sampled_from(["told", "as [which]"])
    ),
    max_size=9,
)


@given(
    offers=st.lists(
        st.tuples(OUTCOMES, st.sampled_from(LABELS), st.floats(0, 1), st.sampled_from(LABELS), st.floats(0, 1)),
        max_size=3,
    )
)
def test_reading_few_rewrites_chooses_as_reading_all(
    offers: Sequence[tuple[Sequence[tuple[str, VerdictLabel, float, str]], VerdictLabel, float, VerdictLabel, float]],
) -> None:
    """Whatever the judge says of whichever rewrite, the choice is that of having tried all; none is read twice."""
    answers: dict[str, Projected] = {}
    asked: list[Offer] = []
    expected = []
    for number, (outcomes, before, probability, again, by_form) in enumerate(offers):
        candidates = [
            replace(_suggestion(i, facet), rewrite=f"{number} {i} {text}")
            for i, (facet, _, _, text) in enumerate(outcomes)
        ]
        tried = [(one, Projected(label, p)) for one, (_, label, p, _) in zip(candidates, outcomes, strict=True)]
        answers |= {one.rewrite: projected for one, projected in tried}
        retold = f"{number} again" if before in {"well_worn", "partly_known"} else ""
        answers[retold] = Projected(again, by_form)
        asked.append(Offer(candidates, retold, before, probability, "en"))
        expected.append(choose(tried, before, probability, answers[retold]))
    read: list[str] = []

    def judge(texts: Sequence[tuple[str, str]]) -> list[Projected]:
        read.extend(text for text, _ in texts)
        return [answers[text] for text, _ in texts]

    assert settle(asked, judge) == expected
    assert len(set(read)) == len(read)
    assert "" not in read


def test_what_cannot_be_chosen_is_not_read() -> None:
    """Where every rewrite does well, as many are read as are shown, and the control beside them."""
    candidates = [replace(_suggestion(i, FACETS[i % len(FACETS)]), rewrite=f"{i}") for i in range(9)]
    calls: list[list[str]] = []

    def judge(texts: Sequence[tuple[str, str]]) -> list[Projected]:
        calls.append([text for text, _ in texts])
        return [Projected("original", 0.1) if text != "again" else Projected("well_worn", 0.9) for text, _ in texts]

    (chosen,) = settle([Offer(candidates, "again", "well_worn", 0.9, "en")], judge)
    assert [len(call) for call in calls] == [6]
    assert len(chosen) == 5


def test_hints_need_no_proof() -> None:
    """Where there was nothing to judge, the hints stand."""
    tried = [(_suggestion(i, "data"), Projected("unclear", 0.5)) for i in range(4)]
    assert len(choose(tried, "unclear", 0.5)) == 3


# --- what is fine as it is -----------------------------------------------------------------------------------------


def test_a_textbook_method_is_left_alone() -> None:
    """Nobody is sent after a fancier algorithm; own data are praised first."""
    assert "k-means clustering" in keep(WORN, [])
    own = replace(WORN, data=Facet("own", (), (Evidence(0, 1, "I"),)))
    assert keep(own, []).startswith("Your own data")
    assert keep(Facets(Facet("worn"), Facet("known"), Facet("none"), Facet("none")), []) == ""
    extra = replace(WORN, additions=Facet("some", ("error analysis",)))
    assert "error analysis" in keep(extra, [])
    used = [Match("xgboost", "technique", "uses", 0.5, 1.0)]
    assert "textbook" in keep(replace(WORN, method=Facet("known")), used)


# --- the voices ----------------------------------------------------------------------------------------------------


def test_one_template_is_told_in_two_voices() -> None:
    """The left half is said to the reader, the right half is their own account."""
    template = "[take|took] 20 pictures of [your|my] street in {place}"
    assert tell(template, {"place": "Porto"}, "you") == "take 20 pictures of your street in Porto"
    assert tell(template, {"place": "Porto"}, "me") == "took 20 pictures of my street in Porto"
    assert tell("{Place}, in {place}", {"place": "your town"}, "you") == "Your town, in your town"


@given(value=st.text(max_size=40))
def test_what_fills_a_slot_is_never_a_template(value: str) -> None:
    """A user's braces and brackets come out as they went in."""
    assert (
        tell("a {text} b", {"text": value}, "me").split() == f"a {value} b".split()
        or "." in value
        or "!" in value
        or "?" in value
    )


def test_names_keep_their_capitals() -> None:
    """Inside a sentence a phrase loses its capital, a name doesn't."""
    cases = {
        "Random forest": "random forest",
        "LSTM": "LSTM",
        "XGBoost": "XGBoost",
        "K-means": "K-means",
        "A plan": "a plan",
    }
    assert {given: lower_first(given) for given in cases} == cases


def test_texts_are_clipped_at_sentences() -> None:
    """A cut falls on the end of a sentence where one is near."""
    assert clipped("One two three. Four five six seven.", 5) == "One two three."
    assert clipped("one two three four five six", 3) == "one two three …"
    assert ended("done") == "done."
    assert ended("done!") == "done!"
    assert voiced("[a|b]", "you") == "a"


def test_quoting_the_same_words_is_not_saying_the_same() -> None:
    """Two pieces of advice may both quote the author."""
    quote = "“we photographed leaves in our orchard”"
    assert overlap(f"Publish {quote}", f"Repeat {quote}") == 0.0
    assert overlap("Publish the leaves", "publish leaves") == 1.0


def test_near_duplicate_bar_is_a_share() -> None:
    """The bar means something."""
    assert 0 < NEAR_DUPLICATE < 1
