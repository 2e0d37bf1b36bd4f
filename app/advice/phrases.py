"""The sentences that suggestions share: each told in several ways, so that lists differ."""

from __future__ import annotations

STAYS = (
    "{Method} can stay.",
    "Keep {method}: what is worn out lies elsewhere.",
    "Spend no evening on anything fancier than {method}.",
    "Go on with {method}, for this needs no more.",
    "Leave {method} alone: the rest is what is new.",
    "Nothing cleverer than {method} is needed.",
)
STAYS_SMALL = (
    "No GPU is needed: frozen features and a small model on top.",
    "Frozen features and a light model keep it on a laptop.",
    "Run it on a CPU with features from a frozen network.",
    "A small model on frozen features trains in minutes without a GPU.",
)
FIGURES = {
    "data": "Set your {figure} beside what you get there, and explain the gap.",
    "question": "Your {figure} answers the old question; this one nobody has scored yet.",
    "method": "Your {figure} is the bar: say how much of it is left, and why.",
    "use": "Your {figure} tells nobody what to do next; this would.",
}
SLICES = (
    "In {hours} hours do a tenth of it, and say so: a small sample that you know well is still yours.",
    "With {hours} hours, cut the counts to a tenth and keep the question.",
    "{hours} hours are enough for a pilot: a tenth of the numbers, one person asked, and an honest note on the rest.",
)
"""For whoever has a few hours only."""
COMPANY = (
    "For the step after, {alt} ({how}) invites a question of its own: {question}",
    "If you go on afterwards, {alt} ({how}) lets you ask: {question}",
    "A little-used source to go on with is {alt} ({how}). One could ask it: {question}",
    "Look at {alt} as well ({how}); its question would be: {question}",
)
ANCHORS = (
    "It begins where the usual {theme} project stops.",
    "{Theme} is where you start, and no longer the result.",
    "Whoever has seen {theme} fifty times hasn't seen this.",
    "That goes on from {theme} in place of repeating it.",
)
ONWARD = (
    "From there I went on.",
    "Then I took it further.",
    "That was the base; this is what came after.",
    "The second half is new.",
)
AMOUNTS: dict[str, tuple[str, ...]] = {
    "text": ("3,200 texts", "1,900 texts", "5,400 texts"),
    "image": ("1,800 pictures", "2,600 pictures", "950 pictures"),
    "time series": ("fourteen months of readings", "nine months of readings", "two years of readings"),
    "tabular": ("6,400 records", "11,000 records", "3,700 records"),
    "audio": ("900 clips", "1,400 clips", "620 clips"),
    "geospatial": ("2,600 located records", "4,100 located records", "1,700 located records"),
    "graph": ("a network of 5,100 nodes", "a network of 2,300 nodes", "a network of 8,700 nodes"),
    "events": ("six weeks of events", "ten weeks of events", "four weeks of events"),
    "multimodal": ("1,200 items", "800 items", "2,100 items"),
    "3d": ("700 objects", "400 objects", "1,100 objects"),
}
REFRESH = {
    "live": "by the second",
    "continuous": "all the time",
    "periodic": "from time to time",
    "seconds": "every few seconds",
    "minutes": "every few minutes",
    "hours": "every few hours",
}
WAYS = {
    "sensor": "with a device of [your|my] own",
    "api": "through its API",
    "dump": "as a bulk download",
    "scrape": "by reading its pages",
    "stream": "from its live stream",
}
FALLBACK_WORDS = {
    "tabular": "the columns",
    "explore": "the columns",
    "cluster": "the columns",
    "text": "the meaning",
    "image": "the thing",
    "graph": "the links",
}
