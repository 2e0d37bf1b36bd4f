#!/usr/bin/env python3
"""Give every parser, and the check itself, a great many hostile inputs, and see that each answers as it should.

What must hold for each: a result that keeps to its own rules, or one of the project's own errors, whose message repeats
nothing of the text; within a time that grows with the length alone; and for the check, twice the same. Inputs hang on
the seed, their number and the share of checks: ``--start`` goes on where a run ended, several processes can share one,
and ``--only`` makes one again. It ends with 1 if anything fails.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import signal
import time
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import bundle, contract, corpus, intake, keys, material, submissions, wire
from app.errors import BadInput, OriginalityError
from app.fetch import is_project
from app.fetch.page import to_text
from app.records import About
from app.render import to_json
from app.report import Report
from app.screenings import people, received, veil, webhooks
from app.settings import Fetching, Settings
from app.submissions import links
from app.submissions.kinds import DOCUMENTS
from scripts import fuzz_inputs as inputs
from scripts.fuzz_inputs import MARK

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from types import FrameType

    from app.checker import Checker

    Input = tuple[int, Callable[[], bool]]
    Maker = Callable[[random.Random], Input]
    Targets = dict[str, tuple[float, Maker]]

SEED = 20_261_123
CHECK_SHARE = 0.02
"""Inputs that go through the whole check, which costs a thousand times what most parsers do."""
LEAST_S = 5.0
"""Seconds of the processor that any input may take: what libraries need to begin with, and a busy machine's noise."""
LEAST_RATE = 5_000
"""Characters or bytes a second that every parser and the check must do beyond that."""
SHOWN_FROM = 1_000
"""Shorter inputs say nothing of characters a second."""
_COLUMNS = re.compile(r"(?:column|field) ['\"].{0,42}?['\"]|\(found: .*\)", re.DOTALL)
"""Names of columns, which are told so that another can be chosen."""
_LENGTHS = (60,) + (300,) * 8 + (1_000,) * 8 + (4_000,) * 4 + (20_000,)
"""Most characters of a text for the whole check, before the one in a hundred that is longer than may be."""


class Hung(BaseException):
    """An input took longer than it may; no handler of the code under test may take it for its own."""


class Broken(AssertionError):
    """A result doesn't keep to its own rules."""


@dataclass(slots=True)
class Seen:
    """What became of the inputs of one target.

    Attributes:
        refused: ended in one of the project's own errors.
        slowest: characters or bytes a second, of inputs from ``SHOWN_FROM`` on.
        longest_s: of the processor's time, for one input.
    """

    inputs: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: float = float("inf")
    longest_s: float = 0.0


def of_file(kind: str) -> Maker:
    """Read a file of a kind as a screening does, and as the page does."""

    def target(chance: random.Random) -> Input:
        made = inputs.content(chance, kind)

        def work() -> bool:
            found = list(submissions.read(f"x{kind}", made))
            for item in found:
                _hold(not item.error or not item.text, "an item with a text and an error")
                _hold(MARK not in _COLUMNS.sub("", item.error), "an error repeats the text")
            entries, _ = received.entries(f"x{kind}", made, fetch=False) if len(found) < 100 else ((), ())
            _hold(len(entries) in {0, len(found)}, "entries are lost")
            if kind in DOCUMENTS and len(made) < 50_000:
                try:
                    material.of_file(f"x{kind}", made)
                except BadInput as error:
                    _own(error)
            return any(item.error for item in found)

        return len(made), work

    return target


def of_text(read: Callable[[str], object]) -> Maker:
    """Give a text to a function of texts."""

    def target(chance: random.Random) -> Input:
        made = inputs.text(chance)
        return len(made), lambda: _refused(lambda: read(made))

    return target


def of_address(chance: random.Random) -> Input:
    """Give an address to all that read addresses."""
    made, fetching = inputs.address(chance), Fetching()

    def work() -> bool:
        taken = links.is_link(made)
        _hold(not taken or bool(material.link_in(made)), "a link is none")
        _hold(isinstance(is_project(made, fetching), bool), "no answer")
        people.account(made)
        for item in links.listed("x", made):
            _hold(MARK not in item.error, "an error repeats the address")
        return not taken

    return len(made), work


def of_line(chance: random.Random) -> Input:
    """Give a short text to what reads options, rights, rows, secrets and headers."""
    made = inputs.text(chance, chance.choice((20, 300)))
    if chance.random() < 0.5:
        made = made.replace(MARK, "").strip()
    row = dict.fromkeys(chance.sample(corpus.FIELDS, chance.randint(0, 7)), made)
    body = json.dumps({chance.choice(("text", "id", "language", made)): made, "about": {"place": made}})
    readers: list[Callable[[], object]] = [
        lambda: submissions.parse_columns(made),
        lambda: submissions.parse_columns(f"text={made},id={made}"),
        lambda: keys.rights([made, f"write:{made}"]),
        lambda: corpus.row(row),
        lambda: webhooks.secret_bytes(f"whsec_{made}"),
        lambda: wire.seconds(made),
        lambda: _shaped(body),
    ]
    return len(made), lambda: sum(map(_refused, readers)) > 0


def _shaped(body: str) -> None:
    try:
        contract.CheckIn.model_validate_json(body)
    except ValueError as error:
        raise BadInput("a wrong shape") from error


def _page(made: str) -> None:
    body = f"<html><head><title>{made[:50]}</title></head><body><main><p>{made}</p></main></body></html>"
    for charset in ("", "utf-8", "nonsense", "utf-16"):
        to_text(body.encode("utf-8", "surrogatepass"), charset)


def _brief(made: str) -> None:
    brief = intake.read(made)
    for sentence in brief.sentences:
        _hold(0 <= sentence.span.start <= sentence.span.end <= len(made), "a sentence outside of the text")
    for part in bundle.split(brief):
        _hold(all(0 <= s.span.start <= s.span.end <= len(made) for s in part.sentences), "a part outside of the text")


def _veiled(made: str) -> None:
    names = ["Ada Lovelace", made[:20], "", " "]
    _hold("Ada Lovelace" not in veil.veil(f"{made} by Ada Lovelace", names), "a name can be read")


PARSERS: Targets = {
    "text (intake, parts)": (10, of_text(_brief)),
    "page (HTML)": (2, of_text(_page)),
    "names hidden": (2, of_text(_veiled)),
    "address": (6, of_address),
    "options, rows, secrets": (8, of_line),
    **{
        f"file {kind}": (share, of_file(kind))
        for kind, share in {
            ".txt": 4,
            ".md": 4,
            ".ipynb": 6,
            ".jsonl": 6,
            ".csv": 6,
            ".tsv": 3,
            ".parquet": 2,
            ".pdf": 3,
            ".docx": 2,
            ".zip": 5,
            ".tar": 3,
            ".tgz": 2,
            ".tar.bz2": 2,
        }.items()
    },
}
"""By name: how many of the inputs it gets, in relation to the others, and what makes an input and the work on it."""


def of_check(checker: Checker) -> Maker:
    """Judge a text, and hold the report to its model, to the text, and to being the same again."""

    def target(chance: random.Random) -> Input:
        made = inputs.text(chance, chance.choice(_LENGTHS))
        title, name = inputs.text(chance, 40)[:500], inputs.text(chance, 40)[:200]
        about = About(interests=title, place=name, hours=chance.choice((None, 0.0, 1e-9, 10_000.0)))
        language = chance.choice(("", "", "", "en", "de", "xx", title[:35]))
        again = chance.random() < 0.25

        def judged() -> Report:
            return checker.check(made, id=name, title=title, language=language, about=about)

        def work() -> bool:
            report = judged()
            told = to_json(report)
            told.encode("utf-8")
            read = json.loads(told)
            _hold(json.loads(to_json(Report.model_validate(read))) == read, "not what its own model reads")
            for place in (*report.matches, *report.why, *(facet for _, facet in report.facets)):
                for quote in place.evidence:
                    _hold(quote.quote == made[quote.start : quote.end], "a quotation that isn't in the text")
            _hold(report.flagged == (report.verdict == "well_worn"), "flagged and verdict differ")
            _hold(0.0 <= report.flag_probability <= 1.0, "no probability")
            _hold(not again or to_json(judged()) == told, "the same text, another report")
            return False

        return len(made) * (2 if again else 1), lambda: _refused(work)

    return target


def _hold(true: bool, wrong: str) -> None:
    if not true:
        raise Broken(wrong)


def _own(error: OriginalityError) -> None:
    said = str(error)
    _hold(bool(said.strip()), "an error without a message")
    _hold(MARK not in _COLUMNS.sub("", said), "an error repeats the text")


def _refused(work: Callable[[], object]) -> bool:
    """Do work; tell whether it ended in an error of the project's own, which must not repeat the text."""
    try:
        return work() is True
    except OriginalityError as error:
        _own(error)
        return True


def fuzz(numbers: range, seed: int, targets: Targets, note: Callable[[str], None]) -> dict[str, Seen]:
    """Give each number's input to the target that falls to it; Ctrl-C or SIGTERM ends it where it is.

    Args:
        targets: by name, the share and what makes inputs.
        note: is told each failure as it is found, and where an end came early.
    """
    seen = {name: Seen() for name in targets}
    names, shares = list(targets), [share for share, _ in targets.values()]
    for number in numbers:
        chance = inputs.chance_of(seed, number)
        name = chance.choices(names, shares)[0]
        try:
            failure = _one(seen[name], *targets[name][1](chance))
        except KeyboardInterrupt:
            note(f"STOPPED: go on with --start {number}")
            break
        if failure:
            seen[name].failures.append(f"no. {number}, {name}: {failure}")
            note(f"FAILED: {seen[name].failures[-1]}")
    return seen


def _one(seen: Seen, size: int, work: Callable[[], bool]) -> str:
    """Do the work on one input and count it; gives what failed."""
    failure, began = "", time.process_time()
    try:
        with limited(LEAST_S + size / LEAST_RATE):
            seen.refused += work()
    except (Exception, Hung) as error:  # noqa: BLE001  whatever it is, it is what is looked for
        failure = told(error)
    took = time.process_time() - began
    seen.inputs += 1
    seen.longest_s = max(seen.longest_s, took)
    if size >= SHOWN_FROM:
        seen.slowest = min(seen.slowest, size / max(took, 1e-6))
    return failure


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop what takes more than so much of the processor's time."""

    def stop(_: int, __: FrameType | None) -> None:
        raise Hung(f"more than {seconds:.1f} s of the processor")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def told(error: BaseException) -> str:
    """Name an error, and where it rose; never what it says unless it is this script's own."""
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    said = f" ({error})" if isinstance(error, Broken | Hung) else ""
    return f"{type(error).__name__}{said} at {' < '.join(reversed(places[-4:]))}"


def table(seen: dict[str, Seen]) -> list[str]:
    """Put the counts into lines."""
    lines = [f"{'target':<24}{'inputs':>9}{'refused':>9}{'failures':>9}{'chars/s, slowest':>18}{'longest, s':>12}"]
    for name, one in seen.items():
        slowest = "-" if one.slowest == float("inf") else f"{one.slowest:,.0f}"
        counts = f"{one.inputs:>9,}{one.refused:>9,}{len(one.failures):>9,}"
        lines.append(f"{name:<24}{counts}{slowest:>18}{one.longest_s:>12.2f}")
    total = Counter({"inputs": 0, "refused": 0, "failures": 0})
    for one in seen.values():
        total.update(inputs=one.inputs, refused=one.refused, failures=len(one.failures))
    lines.append(f"{'all':<24}{total['inputs']:>9,}{total['refused']:>9,}{total['failures']:>9,}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--checks", type=float, default=CHECK_SHARE, help="share of inputs for the whole check")
    parser.add_argument("--only", type=int, help="this input alone, with all that Python tells of its fault")
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # libraries tell of every oddity, and there are many
    warnings.simplefilter("ignore")
    if given.only is not None:
        return again(given.only, given.seed, targets(given.checks))
    numbers = range(given.start, given.start + given.inputs)
    for number in (signal.SIGINT, signal.SIGTERM):  # in the background of a shell the first is ignored else
        signal.signal(number, signal.default_int_handler)
    began = time.monotonic()
    seen = fuzz(numbers, given.seed, targets(given.checks), lambda line: print(line, flush=True))
    print(f"inputs from {numbers.start:,} on, of seed {given.seed}, {time.monotonic() - began:.0f} s")
    print("\n".join(table(seen)), flush=True)
    return 1 if any(one.failures for one in seen.values()) else 0


def again(number: int, seed: int, targets: Targets) -> int:
    """Give one input to its target once more, and let what it raises be seen."""
    chance = inputs.chance_of(seed, number)
    name = chance.choices(list(targets), [share for share, _ in targets.values()])[0]
    size, work = targets[name][1](chance)
    print(f"no. {number}, {name}, {size:,} characters or bytes", flush=True)
    print("refused" if work() else "done")
    return 0


def targets(checks: float) -> Targets:
    """Give all targets with their shares; the checker is opened only where it gets one."""
    parsers = sum(share for share, _ in PARSERS.values())
    found: Targets = {n: ((1 - checks) * s / parsers, make) for n, (s, make) in PARSERS.items()}
    if checks:
        from app.checker import Checker  # noqa: PLC0415  parsers do without the model

        found["the whole check"] = (checks, of_check(Checker.open(Settings.from_environment(), build=True)))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
