"""The words for verdicts, facets, roles and likelihoods; they stand here and nowhere else.

English is the source; ``app/locales`` holds every one of these words in the other languages of the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.report import Facet

VERDICTS = {
    "well_worn": "Well worn",
    "partly_known": "Partly known",
    "original": "Original",
    "off_topic": "Off topic",
    "unclear": "Unclear",
}
MEANINGS = {
    "well_worn": "Many portfolios hold this very project.",
    "partly_known": "Its base is known; some of it is the author's own.",
    "original": "No known project stands in its place.",
    "off_topic": "It doesn't read as a project with data.",
    "unclear": "There is too little here to judge, or too much at once.",
}
FACETS = {"problem": "Problem", "data": "Data", "method": "Method", "additions": "Additions"}
SIDES = {
    "data": "Changes the data",
    "question": "Changes the question",
    "method": "Changes the method",
    "use": "Puts it to use",
}
STATUSES = {
    ("problem", "worn"): "A task that everyone does",
    ("problem", "familiar"): "A familiar task",
    ("problem", "own"): "A question of its own",
    ("problem", "unclear"): "Not clear from the text",
    ("data", "known"): "Public and well known",
    ("data", "own"): "The author's own",
    ("data", "unknown"): "Not recognised",
    ("data", "none"): "None named",
    ("method", "known"): "Textbook",
    ("method", "novel"): "New",
    ("method", "none"): "None named",
    ("additions", "some"): "Goes beyond the usual",
    ("additions", "none"): "Nothing beyond the usual yet",
}
KINDS = {
    "dataset": "dataset",
    "technique": "technique",
    "tutorial": "tutorial",
    "cliche": "common theme",
    "alternative": "less-used source",
}
ROLES = {
    "rests_on": "the results rest on it",
    "pretrained_on": "the model was pretrained on it",
    "contrast": "named to be set apart from",
    "benchmark": "used to compare with",
    "mentioned": "only mentioned",
    "uses": "the project uses it",
    "follows": "the project follows it as taught",
    "resembles": "the project comes close to it",
}
TROUBLES = {
    "time_out": "It took longer than the time it has.",
    "unavailable": "It could not be had.",
    "unusable_answer": "Its answer could not be used.",
    "refusal": "It refused.",
    "budget": "The budget of the day is spent.",
    "resting": "It is left alone for a while after failing.",
    "checks": "What it made of the others was dropped: it had links, names or numbers of its own, or said something "
    "else.",
}
"""Why a language model's wording isn't shown; see ``app.rephrase``."""
TIERS = {1: "everyone's first portfolio", 2: "known to most practitioners", 3: "known in its subfield"}
DIRECTIONS = {"worn": "towards worn", "original": "towards original"}
CORRECTIONS = {
    "data.own": "The data are mine: I gathered or labelled them",
    "data.public": "The data are public: somebody else made them",
    "problem.own": "Somebody I know asked this question",
    "method.own": "The method is of my own design",
    "additions.study": "I study where it fails, against a baseline",
    "additions.users": "People use it, and I look after it",
}
"""What an author can say of a facet in place of what was read; see ``app.corrections``."""

_LIKELIHOODS = (
    (0.03, "almost certainly not worn"),
    (0.15, "very unlikely to be worn"),
    (0.35, "probably not worn"),
    (0.65, "could be either"),
    (0.85, "probably worn"),
    (0.97, "very likely worn"),
    (1.01, "almost certainly worn"),
)

SENTENCES = (
    # The verdict's summary.
    "Those who hire have seen this many times: {base} and {method}, with little that is the author's own.",
    "Those who hire have seen this many times: {base}, with little that is the author's own.",
    "Keep the method if it works, and change the data, the question or the use: the suggestions say how.",
    "The base is familiar ({base}), and it adds {added}.",
    "The base is familiar ({base}), and something in it is not the usual.",
    "Put what is new into the first sentence, and take it one step further with a suggestion below.",
    "This stands apart: it has data of your own.",
    "This stands apart: it has a problem or method that is not the usual one.",
    "A textbook method is no fault here; show how you made the data, what failed, and who it is for.",
    "This does not read as a machine-learning or data project, so there is nothing to compare.",
    "If it is one, say what is predicted or answered, on which data, and how.",
    "Too little is said to judge it fairly.",
    "The text points in several directions to judge it fairly.",
    "Add what is predicted or answered, where the data come from and who made them, and which method is used.",
    # The single change.
    "Data of your own in place of, or beside, {base}: gathered, labelled or measured by you.",
    "Something beyond the usual: a question somebody has, an error analysis, or people who use it.",
    "A question of your own: say who needs the answer and what they would do with it.",
    "Tried on this text: \u201c{title}\u201d moves it from {before} to {after}.",
    # What is fine.
    "Your own data are the strong part: keep them at the centre.",
    "{method} is fine as it is; a textbook method on good data needs no fancier one.",
    "Don't spend time on tuning {method} or on something fancier; the model isn't what is worn out.",
    "Don't spend time on a fancier model; the textbook one is fine.",
    "Keep what goes beyond the usual: {added}.",
    # The sides that decided.
    "It rests on data that those who hire have seen many times",
    "No well-known dataset carries the results",
    "The methods are the ones every course teaches",
    "The methods are not the usual pick",
    "The task is one that tutorials walk through",
    "The task is not one that tutorials walk through",
    "Nothing says that the author made or labelled the data",
    "The author made, gathered or labelled the data",
    "The data came ready-made from a public source",
    "The data did not come ready-made from a well-known source",
    "Nothing goes beyond the usual: no study, users or question of one's own",
    "It goes beyond the usual base",
    "It is told the way practice projects are",
    "It is not told the way practice projects are",
    "It is told as a model, not as a software product",
    "Much of it is software rather than a model",
    "Its length and layout are those of worn projects",
    "Its length and layout are those of original projects",
    "Its words are those of worn projects",
    "Its words are those of original projects",
    "As a whole it reads like projects that are worn",
    "As a whole it reads like projects that are original",
    # What was noticed while reading.
    "{count} broken or control characters were read as blanks.",
    "{count} lines of installation, licence or file-tree text were not counted.",
    "{count} repeated sentences were counted once.",
    "{count} sentence claims, asks or denies something without saying anything of the project: not counted.",
    "{count} sentences claim, ask or deny something without saying anything of the project: not counted.",
    "The first {count} sentences were judged and {rest} were only searched for names.",
    (
        "The text was read as '{language}'. Outside English the names of data and methods carry the verdict, and "
        "meaning does so less well: an English version is judged more surely."
    ),
    (
        "The text holds {count} projects. The verdict is on the whole; each project has a report of its own. "
        "For suggestions to one of them, check it alone."
    ),
    "The text was read from the file that was chosen.",
    "The text was fetched by this server from the link.",
    "The file has no section whose heading is Projects: the whole text was read as one.",
    "The file has {count} pages; the first {read} were read.",
    "The file is not UTF-8 and was read as {label}, a guess. If letters are wrong, save it as UTF-8.",
    # What kept a file or a link from being read.
    "Files of this kind aren't read here. Choose one of {kinds}, or paste the text.",
    "The file is empty. Choose another one, or paste the text.",
    "The file holds links alone. Paste one of them into the field, without a file.",
    "The file is encrypted. Send it without a password.",
    "The file is encrypted, or an old .doc file. Save it as .docx without a password.",
    (
        "The file has {count} pages and no text: it looks scanned. Run text recognition (OCR) over it, or send a "
        "PDF that was written by a word processor."
    ),
    "The file has no text: perhaps it holds pictures alone. Send its text.",
    "What was sent is larger than is read here. Choose a smaller file.",
    (
        "The {source} holds {count} characters of text, and at most {most} are read. Paste the part that says what "
        "the project is about."
    ),
    "The text is a link alone, and no links are followed here. Paste the project's README.",
    (
        "The link doesn't lead to one project on GitHub, GitLab, Hugging Face or Kaggle; no other link is "
        "followed here. Paste the text that stands there."
    ),
    "The project could not be fetched within {count} seconds. Try again, or paste its README.",
    "Judged on the author's word: what the author said of it was read as if it stood in the text.",
)
"""What the stages say in sentences, as patterns: the page finds them again and says them in another language. A
sentence that isn't among them is shown in English, marked as such."""

NAMED = (
    "data of one's own",
    "labels made and checked",
    "a rigorous study",
    "people who use it or need it",
    "operation: monitoring, retraining, tests in use",
    "a device or a constraint that shaped it",
    "a step beyond the usual",
    "the author's own data",
    "ready-made data",
    "a familiar task",
    "this combination",
    "well worn",
    "partly known",
    "original",
    "file",
    "link",
    "off topic",
    "unclear",
    "a weekend",
    "two weeks",
    "a month",
    "below .01",
    "above .99",
)
"""What a facet, an effort or a place in a sentence may hold beside names out of the catalogue."""

FAULTS = {
    "text-unusable": ("There is no text to judge", "Write or paste the idea: one sentence is enough."),
    "text-too-long": ("The text is too long", "Shorten it to what the project is about, and check again."),
    "hours-unreadable": ("The hours can't be read", "Give a number such as 10 or 2.5, or leave the field empty."),
    "file-unreadable": ("The file can't be read", "Send another format of it, or paste the text itself."),
    "upload-too-large": ("The file is too large", "Send a smaller one, or paste the text itself."),
    "link-unreadable": ("The link can't be read", "Look whether it opens in your browser, or paste the text itself."),
    "consent-missing": ("Nothing was stored", "Tick the box that allows it, or leave the page: both are fine."),
    "too-many-requests": ("Too many checks in a minute", "Wait a moment and check again."),
    "not-ready": ("Not ready yet", "The model is being opened. Try again in a few seconds."),
    "not-found": ("Not found", "There is nothing at this address."),
    "method-not-allowed": ("Not here", "This address is for forms. Start from the first page."),
    "body-too-large": ("Too much at once", "What was sent is larger than is read in one go."),
    "malformed-request": ("Not readable", "What was sent can't be read as a form."),
    "internal-error": ("Something went wrong", "Your text may have been fine. Try again."),
}
"""Faults that people meet, by the name of their problem, in words for a page: title and mend."""

SCREENING_STATES = ("running", "paused", "cancelled", "done")
"""As the database has them, which are words to show as well."""
ORDERS = {
    "candidate": "by candidate, their most original first",
    "original": "most original first",
    "worn": "most worn first",
    "sent": "as they came in",
}
"""In which order the projects of a screening can be shown."""
OUTCOMES = {"error": "could not be judged", "waiting": "not judged yet", "override": "overruled by a person"}
"""What of a screening can be chosen besides a verdict."""
RATES = {
    "originals_flagged": "Of the texts that two readers call original, flagged as well worn",
    "wrong": "Of the texts flagged as well worn, not well worn to the readers",
    "missed": "Of the texts that are well worn to the readers, not flagged",
}
FLUENCY = ("not fluent", "other English")
"""Kinds of English whose error rates are measured, as the evaluation names them."""


def closed() -> Iterator[str]:
    """Give every word and sentence that a page may have to say beside those that stand in its templates."""
    for table in (VERDICTS, MEANINGS, FACETS, SIDES, KINDS, ROLES, DIRECTIONS, CORRECTIONS, TROUBLES):
        yield from table.values()
    for table in (ORDERS, OUTCOMES, RATES):
        yield from table.values()
    yield from SCREENING_STATES
    yield from FLUENCY
    yield from STATUSES.values()
    yield from TIERS.values()
    yield from (words for _, words in _LIKELIHOODS)
    yield from SENTENCES
    yield from NAMED
    for title, mend in FAULTS.values():
        yield title
        yield mend


def likelihood(probability: float) -> str:
    """Say a calibrated probability of ``well_worn`` in words."""
    return next(words for below, words in _LIKELIHOODS if probability < below)


def figure(probability: float) -> str:
    """Write a probability with two places; never as a certainty, for nothing here is certain."""
    if probability < 0.01:
        return "below .01"
    if probability > 0.99:
        return "above .99"
    return f"{probability:.2f}".removeprefix("0")


def status_words(side: str, facet: Facet) -> str:
    """Say what kind of problem, data, method or addition was found."""
    return STATUSES.get((side, facet.status), facet.status.replace("_", " "))
