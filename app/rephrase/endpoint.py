"""Speaks the chat protocol that OpenAI began and most servers of language models understand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from app.errors import BadSetting, OriginalityError, SourceUnusable
from app.wire import Busy, InvalidUrl, Limits, Refused, Url, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.settings import LanguageModel

Trouble = Literal["time_out", "unavailable", "unusable_answer", "refusal", "budget", "resting", "checks"]

MAX_BYTES = 1_000_000
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class ModelFailed(OriginalityError):
    """A language model gave nothing that can be used.

    Attributes:
        trouble: its kind.
        wait_s: how long the endpoint asks to be left alone; 0 if it doesn't.
    """

    def __init__(self, trouble: Trouble, message: str, wait_s: float = 0.0) -> None:
        """Say what came instead; never what was sent."""
        super().__init__(message)
        self.trouble, self.wait_s = trouble, wait_s


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, and what it cost in tokens as the server counts them; None if it doesn't."""

    content: str
    tokens: int | None


class Chat(Protocol):
    """What words suggestions anew: the seam at which another protocol would go in."""

    host: str
    model: str

    async def ask(self, messages: Sequence[dict[str, str]], max_tokens: int) -> Said:
        """Answer messages.

        Raises:
            ModelFailed: if there is no usable answer.
        """


class Endpoint:
    """``POST …/chat/completions`` at one base address.

    The answer is asked for whole. A stream would show words before they are checked, and none is shown unchecked; a
    server that streams nevertheless is treated like one whose answer breaks off.
    """

    def __init__(self, chosen: LanguageModel) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            BadSetting: if the address is none.
        """
        try:
            base = Url(chosen.url)
        except InvalidUrl:
            base = Url("")
        if base.scheme not in {"http", "https"} or not base.host or base.userinfo:
            raise BadSetting(
                "ORIGINALITY_LLM_URL is no base address such as https://api.example.org/v1; give one without name or "
                "password, and the key in ORIGINALITY_LLM_KEY."
            )
        if not (chosen.key.isascii() and chosen.key.isprintable()):
            raise BadSetting("ORIGINALITY_LLM_KEY has characters that no header can carry; copy the key again.")
        self.host, self.model, self._key = base.netloc.decode("ascii"), chosen.model, chosen.key
        self._url = base.copy_with(path=f"{base.path.rstrip('/')}/chat/completions")
        self._direct = base.host in _HERE
        self._limits = Limits(
            attempts=3,
            pause_s=0.5,
            longest_pause_s=chosen.timeout_s,
            step_s=chosen.timeout_s,
            total_s=chosen.timeout_s,
            max_bytes=MAX_BYTES,
        )
        # Models that think call their limit by another name, and refuse the old one; found out by asking.
        self._limit_name = "max_tokens"

    async def ask(self, messages: Sequence[dict[str, str]], max_tokens: int) -> Said:
        """Answer messages; see ``Chat``."""
        async with Wire(_stay, self._limits, direct=self._direct, later="Suggestions stay plain.") as wire:
            try:
                status, answer = await self._post(wire, messages, max_tokens)
                if status == 400 and "max_completion_tokens" in str(answer):
                    self._limit_name = "max_completion_tokens"
                    status, answer = await self._post(wire, messages, max_tokens)
            except Busy as error:
                raise ModelFailed("unavailable", str(error), error.wait_s) from error
            except SourceUnusable as error:
                raise ModelFailed("unavailable", str(error)) from error
        if status != 200:
            raise ModelFailed("unavailable", f"{self.host} answered {status}; check model and settings.")
        return _said(answer, self.host)

    async def _post(self, wire: Wire, messages: Sequence[dict[str, str]], max_tokens: int) -> tuple[int, Any]:
        body = {
            "model": self.model,
            "messages": list(messages),
            "stream": False,
            self._limit_name: max_tokens,
        }
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        answer = await wire.ask(self._url, also={400}, headers=lambda _: headers, content=body)
        try:
            return answer.status, answer.json()
        except SourceUnusable as error:
            if answer.status != 200:
                return answer.status, None
            raise ModelFailed("unusable_answer", str(error)) from error


def _stay(_: Url, there: Url) -> Url:
    raise Refused(f"The language model's address leads on to {there.host}, where nothing is sent. Give that address.")


def _said(answer: Any, host: str) -> Said:
    """Take the content out of an answer.

    Raises:
        ModelFailed: if it has none, was cut off, or the model refused.
    """
    try:
        choice = answer["choices"][0]
        message, ended = choice["message"], choice.get("finish_reason")
        content, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelFailed("unusable_answer", f"{host} answered without choices[0].message.") from error
    if refusal or ended == "content_filter":
        raise ModelFailed("refusal", f"The model at {host} refused.")
    if not isinstance(content, str) or ended == "length":
        raise ModelFailed("unusable_answer", f"{host} answered without text, or its text was cut off at the limit.")
    usage = answer.get("usage")
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    return Said(content, tokens if isinstance(tokens, int) and tokens >= 0 else None)
