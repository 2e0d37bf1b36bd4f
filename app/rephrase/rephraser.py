"""Has suggestions worded anew within a time and a budget, keeps the drafts that hold, and the plain ones otherwise."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from limits import RateLimitItemPerDay
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.intake import detect_language
from app.rephrase import drafts
from app.rephrase.endpoint import ModelFailed
from app.rephrase.fidelity import Ground, fault, name_table
from app.report import Phrasing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.catalogue import Catalogue
    from app.rephrase.drafts import Draft
    from app.rephrase.endpoint import Chat
    from app.report import Report, Suggestion
    from app.settings import LanguageModel

AT_A_TIME = 4
"""Questions under way; more wait, and their waiting counts against their own time."""
FAILURES = 3
"""Failures in a row after which the endpoint is left alone for ``REST_S``, so that nobody waits for what is down."""
REST_S = 60.0
LONGEST_REST_S = 3_600.0
LATEST = 0.1
"""Share of its time that a report must have left when its turn comes."""
READ_CHARS = 4_000
"""How much of a text is read for its language."""

_log = logging.getLogger(__name__)


class Rephraser:
    """Words reports anew; it never raises, and what fails leaves the report as it was."""

    def __init__(self, chat: Chat, chosen: LanguageModel, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare with a full budget."""
        self.host, self.model = chat.host, chat.model
        self._chat, self._chosen, self._clock = chat, chosen, clock
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerDay(chosen.requests_per_day)
        self._tokens = RateLimitItemPerDay(chosen.tokens_per_day)
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._failures, self._rests_until = 0, 0.0
        self._names: tuple[str, dict[tuple[str, ...], str]] = ("", {})

    async def rephrase(self, report: Report, text: str, catalogue: Catalogue, language: str = "") -> Report:
        """Word a report's suggestions anew, in at most the time that the settings give.

        Args:
            text: the judged one.
            catalogue: what a draft must not name unless the suggestion or the text does.
            language: code of the author's language where the caller knows it; else the text's own.

        Returns:
            The report with ``phrasing`` filled; suggestions whose draft doesn't hold are as they were.
        """
        if not report.suggestions:
            return report
        # Neither the detector's first loading nor the checks of the drafts may keep other requests waiting.
        spoken = language.strip().lower()[:2] or await asyncio.to_thread(detect_language, text[:READ_CHARS])
        spoken = "en" if spoken == "und" else spoken
        asked = False
        try:
            async with asyncio.timeout(self._chosen.timeout_s) as timer, self._turns:
                left_s = (timer.when() or 0.0) - asyncio.get_running_loop().time()
                if left_s < LATEST * self._chosen.timeout_s:
                    raise TimeoutError  # noqa: TRY301  an answer would be paid for, and late; the one handler is below
                asked = True
                found = await self._drafts(report, text, spoken)
            self._failures = 0
        except TimeoutError:
            late = ModelFailed("time_out", f"{self.host} took longer than the time it has.")
            return self._plain(report, late, asked=asked)
        except ModelFailed as failed:
            return self._plain(report, failed)
        return await asyncio.to_thread(self._taken, report, text, spoken, found, catalogue)

    async def _drafts(self, report: Report, text: str, language: str) -> dict[int, Draft]:
        messages = drafts.question(report, text, language)
        if self._clock() < self._rests_until:
            raise ModelFailed("resting", f"{self.host} is left alone for a while after its failures.")
        reserve = drafts.tokens_of(messages) + self._chosen.max_tokens
        self._spend(reserve)
        cost = reserve
        try:
            said = await self._chat.ask(messages, self._chosen.max_tokens)
            cost = reserve if said.tokens is None else said.tokens
        finally:
            self._limiter.hit(self._tokens, "tokens", cost=cost)
        found = drafts.read(said.content)
        if not found:
            raise ModelFailed("unusable_answer", f"{self.host} answered in another form than was asked for.")
        return found

    def _names_of(self, catalogue: Catalogue) -> Mapping[tuple[str, ...], str]:
        """Look the names of a catalogue's data, courses and sources up; a technique's may be a common word."""
        if self._names[0] != catalogue.sha256:
            known = [
                e for kind in (catalogue.datasets, catalogue.tutorials, catalogue.alternatives) for e in kind.values()
            ]
            table = name_table((e.id, (e.name, *getattr(e, "aliases", ()))) for e in known)
            self._names = catalogue.sha256, table
        return self._names[1]

    def _spend(self, tokens: int) -> None:
        """Count a request, if the day's budget has room for it and for its tokens.

        Raises:
            ModelFailed: if it hasn't.
        """
        if not self._limiter.test(self._tokens, "tokens", cost=tokens) or not self._limiter.hit(
            self._requests, "requests"
        ):
            raise ModelFailed("budget", "The day's budget for the language model is spent.")

    def _plain(self, report: Report, failed: ModelFailed, *, asked: bool = True) -> Report:
        """Leave a report plain; ``asked`` is false where its turn never came, which says nothing of the endpoint."""
        _log.warning("suggestions stay plain", extra={"trouble": failed.trouble, "why": str(failed)})
        if asked and failed.trouble in {"time_out", "unavailable"}:
            self._failures += 1
            rest = REST_S if self._failures >= FAILURES else 0.0
            rest = max(rest, min(failed.wait_s, LONGEST_REST_S))
            self._rests_until = max(self._rests_until, self._clock() + rest)
        sent = asked and failed.trouble not in {"budget", "resting"}
        phrasing = Phrasing(host=self.host if sent else "", model=self.model, rephrased=0, trouble=failed.trouble)
        return report.model_copy(update={"phrasing": phrasing})

    def _taken(
        self,
        report: Report,
        text: str,
        language: str,
        found: Mapping[int, Draft],
        catalogue: Catalogue,
    ) -> Report:
        names = self._names_of(catalogue)
        worded: list[Suggestion] = []
        faults: list[str] = []
        for n, plain in enumerate(report.suggestions, 1):
            ground = Ground(plain, report, text[: drafts.SENT_CHARS], language, names)
            wrong = fault(found[n], ground) if n in found else "shape"
            worded.append(plain if wrong else _worded(plain, found[n], language))
            faults += [wrong] if wrong else []
        if faults:
            _log.info("drafts dropped", extra={"faults": ",".join(faults)})
        phrasing = Phrasing(
            host=self.host,
            model=self.model,
            rephrased=len(worded) - len(faults),
            trouble="checks" if faults else "",
        )
        change = report.change
        for plain, new in zip(report.suggestions, worded, strict=True):
            change = change.replace(f"\u201c{plain.title}\u201d", f"\u201c{new.title}\u201d")
        return report.model_copy(update={"suggestions": worded, "phrasing": phrasing, "change": change})


def _worded(plain: Suggestion, draft: Draft, language: str) -> Suggestion:
    return plain.model_copy(
        update={
            "title": draft.title.strip(),
            "detail": draft.detail.strip(),
            "first_steps": [step.strip() for step in draft.first_steps],
            "phrasing": "rephrased",
            "language": language,
        }
    )
