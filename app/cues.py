"""Reads one sentence at a time for the words that tell who made the data, what is planned, contrasted or added.

A cue is evidence, never a verdict: the judge weighs it beside names and vectors. English in full; in the other
languages only the words that carry a role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAKE = (
    r"(?:hand[- ]|self[- ]|re[- ]?)?(?:collect|record|scrap|crawl|photograph|film|label|labell|"
    r"annotat|measur|logg?|survey|interview|gather|transcrib|digiti[sz]|scann|simulat|poll|stream|"
    r"captur|outlin|count|tagg?|curat|assembl|match|join|link|weigh|timed?|track|monitor|sampl|mapp?|"
    r"translat|transcod|request|ask|typed?|instrument|wired?)(?:ed|d)\b|\b(?:took|shot|wrote down|"
    r"kept|drew|built|made|wore)\b"
)
_SELF = r"\b(?:i|we|i've|we've|my|our|me|us|myself|ourselves|volunteers|colleagues?|friends?|students)\b"

_PATTERNS: Mapping[str, str] = {
    "self": (
        r"\b(?:i|we|my|our|me|us|mine|ours|myself|ourselves|i'm|i've|we've|i'd)\b|\b(?:mein|meine|"
        r"wir|unser\w*|ich|mi|mis|nuestr\w+|hice|meu|minha|nosso\w*|fiz|mon|ma|mes|notre|nos|j'ai|"
        r"nous|mio|mia|nostr\w+|ho|мой|моя|мои|наш\w*|benim|bizim|saya|kami)\b|我们?|私|わたし|我々|मैंने|"
        r"हमने"
    ),
    "own_data": _SELF
    + r"(?:\W+\w+){0,5}?\W+(?:"
    + _MAKE
    + r")|\b(?:self[- ](?:collected|recorded|made|labell?ed|annotated|filmed|scraped|built)|"
    + r"hand[- ](?:labell?ed|collected|annotated|built|written)|own (?:data(?:set)?|photos?|"
    + r"images?|recordings?|sensor\w*|measurements?|labels?|annotations?|scraper|corpus|survey|"
    + r"footage|signals?|logs?)|custom(?:ised|ized)? (?:data(?:set)?|corpus)|created (?:a|our|"
    + r"my|the) (?:own )?(?:new )?dataset|collected (?:by me|by us|by hand|manually)|"
    + r"(?:labell?ed|annotated|recorded|scraped) (?:by (?:me|us|hand)|myself|manually)|"
    + r"primary data|data collection)\b|\b(?:selbst (?:aufgenommen|gesammelt|gelabelt|"
    + r"fotografiert|gemessen)|eigene[nrs]? (?:daten|fotos|aufnahmen)|grab(?:é|amos)|"
    + r"recopil(?:é|amos)|etiquet(?:é|amos)|recolect\w+|colet(?:ei|amos)|grav(?:ei|amos)|"
    + r"rotul(?:ei|amos)|fotograf(?:ei|amos|ié)|enregistré\w*|annoté\w*|collecté\w*|raccolt\w+|"
    + r"registrat\w+|собрал\w*|разметил\w*|записал\w*|топлад\w*|topla(?:dı\w*)|etiketle\w+|"
    + r"mengumpulkan|merekam)\b|自己(?:采集|收集|标注|拍摄|录制)|収集し|録音し|撮影し|ラベル付け",
    "others_data": (
        r"\b(?:kaggle|uci|open data|public(?:ly)?(?: available)? (?:data(?:set)?s?|repository)|"
        r"publicly available|(?:data(?:set)?|images?|recordings?|samples?) (?:is|are|was|"
        r"were)? ?(?:taken|provided|released|published|sourced|obtained|downloaded|collected|"
        r"made available) (?:by|from|on|at)|(?:the|these|original) (?:authors|researchers|"
        r"team) (?:collected|recorded|released|labell?ed)|hugging ?face datasets?|"
        r"tensorflow datasets|tfds|torchvision|sklearn\.datasets|from kaggle|benchmark dataset|"
        r"competition data)\b"
    ),
    "planned": (
        r"\b(?:will|plan(?:s|ned|ning)?(?: to)?|future work|in future|in the future|going to|"
        r"would like to|want to|hope to|intend to|to ?do|next steps?|roadmap|could be extended|"
        r"coming soon|not yet|propose(?:s|d)? to|should be|ideas? for|zukünftig|geplant|"
        r"próximos pasos|trabajo futuro|trabalhos futuros|à venir|в будущем|gelecekte)\b"
    ),
    "negated": (
        r"\b(?:not|no|never|none|without|nothing|nobody|cannot|isn't|aren't|wasn't|weren't|don't|"
        r"doesn't|didn't|won't|can't|nicht|kein\w*|nunca|sin|não|sem|pas|sans|non|не|нет|без|"
        r"değil|tidak|bukan)\b|不|没|ない"
    ),
    "contrast": (
        r"\b(?:instead of|instead|unlike|rather than|not another|tired of|everyone (?:does|uses|"
        r"reports)|every(?:body|one) else|as opposed to|in contrast to|the usual|yet another|"
        r"not the (?:usual|kaggle|classic)|beyond|different from|another (?:titanic|mnist|churn)|"
        r"statt|en lugar de|em vez de|au lieu de|вместо|yerine)\b|而不是|ではなく"
    ),
    "pretrained": (
        r"\b(?:pre[- ]?train(?:ed|ing)?|pretrained|imagenet weights|fine[- ]?tun(?:e|ed|ing)|"
        r"transfer[- ]?learning|backbone|initiali[sz]ed (?:with|from)|frozen (?:features|layers|"
        r"encoder)|off[- ]the[- ]shelf|checkpoint|foundation model|zero[- ]shot)\b|预训练|事前学習"
    ),
    "benchmark": (
        r"\b(?:benchmark\w*|baselines?|compared? (?:with|to|against)|comparison|sanity check|"
        r"external(?:ly)? validat\w+|cross[- ]dataset|held[- ]out|transfers? to)\b"
    ),
    "course": (
        r"\b(?:tutorial|course(?:work|ra)?|assignment|homework|internship|intern|boot ?camp|udemy|"
        r"udacity|nanodegree|edx|datacamp|capstone|final(?:[- ]year)? project|semester|"
        r"class project|lab \d|lecture|exercise|certificat\w+|workshop|follow(?:ing|ed) along|"
        r"beginner\w*|getting started|learning purposes?|for practice|cs\d{3}\w?|bangkit|dicoding|"
        r"kursus|curso|cours|kurs\w*|курс\w*)\b"
    ),
    "deploy": (
        r"\b(?:deploy(?:ed|ment|s)?|streamlit|gradio|flask|fastapi|heroku|docker\w*|kubernetes|"
        r"aws|azure|gcp|sagemaker|render|vercel|in production|live (?:demo|app|at)|web ?app|"
        r"telegram bot|mobile app|android app|api endpoint)\b"
    ),
    "operated": (
        r"\b(?:monitor(?:ed|ing|s)?|drift|retrain(?:ed|ing|s)?|alert(?:s|ed|ing)?|on[- ]call|"
        r"rollback|shadow (?:mode|traffic)|canary|a/?b[- ]test\w*|latency budget|cost (?:per|"
        r"a) (?:request|prediction)|uptime|scheduled|nightly|airflow|dagster|prefect|ci/cd)\b"
    ),
    "users": (
        r"\b(?:used (?:by|every|daily|at|in)|uses? it|they use|pilot(?:ed)?|feedback from|"
        r"interview(?:ed|s)?|stakeholders?|(?:nurses|doctors|farmers|teachers|volunteers|"
        r"residents|clients|drivers|workers|operators|beekeepers|fishers|pickers|curators|"
        r"journalists|rangers|librarians|patients|midwives|shopkeepers|technicians|agronomists|"
        r"neighbours|neighbors)|my (?:mother|father|mom|dad|grandmother|grandfather|uncle|aunt|"
        r"sister|brother|cousin|wife|husband|boss|shop|club|school|village|town|street|"
        r"landlord))\b"
    ),
    "study": (
        r"\b(?:error analysis|ablations?|audit(?:ed|s|ing)?|leak(?:age|s|ed)?|"
        r"confidence intervals?|bootstrap(?:ped)?|calibrat\w+|by (?:subgroup|site|speaker|"
        r"hospital|artist|patient|year)|inter[- ]?patient|out[- ]of[- ](?:time|domain|"
        r"distribution)|label (?:noise|errors?|quality)|inter[- ]?annotator|agreement|kappa|"
        r"negative result|fails? (?:when|on|for)|failure (?:cases|modes|analysis)|counterfactual|"
        r"difference[- ]in[- ]difference\w*|causal|fairness|bias audit|uncertainty|conformal|"
        r"significan(?:t|ce)|pre[- ]?regist\w+|replicat\w+|robustness|stress test\w*|"
        r"duplicates removed|de[- ]?duplicat\w+|split by|re[- ]?label\w*)\b"
    ),
    "claim": (
        r"\b(?:novel|novelty|first[- ]ever|never (?:been )?(?:done|attempted|seen)|revolution\w*|"
        r"ground[- ]?breaking|cutting[- ]edge|state[- ]of[- ]the[- ]art|unique|innovative|"
        r"disruptive|game[- ]chang\w+|world[- ]class|next[- ]gen\w*|unprecedented|100 ?% (?:novel|"
        r"original))\b"
    ),
    "device": (
        r"\b(?:raspberry ?pi|arduino|esp32|esp8266|micro:?bit|micro ?controller|cortex[- ]m\d|"
        r"openmv|jetson|coral|sensor[s]?|microphones?|camera trap\w*|gopro|drone|accelerometer|"
        r"imu|lora(?:wan)?|ble|solder\w*|3d[- ]printed|servo|stm32|nano 33)\b"
    ),
    "span_of_time": (
        r"\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|a|one|"
        r"several|many)\W+(?:months?|weeks?|nights?|seasons?|winters?|summers?|semesters?|"
        r"years? of|days? of|hours of|km of|shifts)\b"
    ),
    "question": (
        r"\?|\b(?:whether|which of|how (?:many|much|long|late|full|often)|why do(?:es)?|"
        r"what makes)\b"
    ),
    "metric": (
        r"\b(?:accuracy|acc\b|f1|r2|r²|rmse|mae|mape|auc|roc|precision|recall|bleu|fid|map@?\d*|"
        r"perplexity|silhouette|confusion matrix)\b|\d\d(?:\.\d+)? ?%"
    ),
    "dataset_word": (
        r"\b(?:data ?sets?|data|csv|corpus|images?|photos?|recordings?|datos|daten|données|dados|"
        r"veri(?:seti)?|данн\w+|датасет\w*)\b|数据|データ|डेटा"
    ),
    "source_link": (
        r"kaggle\.com|archive\.ics\.uci|huggingface\.co/datasets|roboflow|openml|zenodo|data\.gov|"
        r"drive\.google|physionet|github\.com"
    ),
    "load_call": (
        r"\b(?:read_(?:csv|excel|json|parquet)|load_(?!dotenv)\w+\(|fetch_\w+\(|load_dataset\(|"
        r"tfds\.load|datasets\.\w+\(|ImageFolder|flow_from_directory|image_dataset_from_directory|"
        r"yf\.download)"
    ),
    "product": (
        r"\b(?:to-?do|crud|login|sign ?up|authentication|dark mode|react|next\.?js|node\.?js|"
        r"express|mongodb|django|spring ?boot|laravel|tailwind|frontend|front[- ]end|html|css|"
        r"landing page|e-?commerce|payment|chat app|npm|typescript|kotlin|swift|unity)\b"
    ),
    "instruction": (
        r"\b(?:ignore (?:all|any|the|your|previous)|disregard|system ?:|developer mode|you (?:are|"
        r"must) (?:a |now |mark|answer|return|rate)|note to (?:reviewer|checker|the)|"
        r"return (?:original|verdict)|mark (?:this|it) as)\b"
    ),
    "eda": (
        r"\b(?:eda|exploratory|visuali[sz]\w+|dashboards?|power ?bi|tableau|plots?|charts?|"
        r"heat ?map|correlation|insights?)\b"
    ),
    "feature_list": r"(?:\w+, ){4,}",
    "own_words": (
        r"\b(?:our (?:shop|farm|clinic|hospital|lab|town|city|valley|library|school|company|"
        r"orchard|forest|street|house|warehouse|line)|home[- ]built|homemade|garden|balcony|"
        r"backyard|local|neighbou?rhood|village|parish|family|archive[sd]?|foi request|"
        r"freedom of information)\b"
    ),
    "public_api": (
        r"\b(?:api|rss|gtfs|feeds?|open street ?map|wayback|census|registry|municipal|ministry|"
        r"sentinel-?\d|copernicus|landsat|noaa|era5)\b"
    ),
    "synthetic": (
        r"\b(?:simulat\w+|synthetic|generated data|monte[- ]carlo|emulator|digital twin|"
        r"agent[- ]based)\b"
    ),
    "annotators": (
        r"\b(?:annotators?|annotated|labell?ed|labels? (?:were|by)|experts?|guidelines?|"
        r"two (?:raters|annotators|readers)|double[- ](?:labell?ed|coded))\b"
    ),
}

NAMES: tuple[str, ...] = tuple(_PATTERNS)


class _Compiled(Mapping[str, re.Pattern[str]]):
    """Patterns by name, each compiled when first asked for: together they take as long as a check."""

    def __getitem__(self, name: str) -> re.Pattern[str]:
        return _compiled(_PATTERNS[name], re.IGNORECASE)

    def __iter__(self) -> Iterator[str]:
        return iter(_PATTERNS)

    def __len__(self) -> int:
        return len(_PATTERNS)


@cache
def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)


CUES: Mapping[str, re.Pattern[str]] = _Compiled()
"""Name of each cue and the pattern that shows it; learned weights are bound to the names and their order."""

_TWINS = str.maketrans("ıİſK", "iisk")
"""Letters that stand for these where case counts for nothing."""


@cache
def _small() -> dict[str, re.Pattern[str]]:
    """Give patterns that find the same in small ASCII letters, in half the time: there case needs no looking at."""
    plain = {name: pattern.translate(_TWINS) for name, pattern in _PATTERNS.items()}
    return {
        name: _compiled(re.sub(r"(\\.)|([A-Z])", lambda at: at[1] or at[2].lower(), pattern))
        for name, pattern in plain.items()
    }


def find(text: str) -> dict[str, tuple[int, int]]:
    """Find the cues of one sentence.

    Returns:
        Cue name to the [start, end) of its first occurrence, in characters of ``text``.
    """
    patterns, text = (_small(), text.lower()) if text.isascii() else (CUES, text)
    return {name: match.span() for name, pattern in patterns.items() if (match := pattern.search(text))}
