"""Turns the bytes of a text file into text: Unicode by its mark or its form, else by a guess that is told."""

from __future__ import annotations

import codecs

from app.errors import FileUnreadable
from app.records import Notice

_MARKS = (
    # The longer marks first: that of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 200_000
"""How much of a long file the guess looks at; it takes a second for each megabyte."""
_NUL_SHARE = 0.3
"""Share of zero bytes at even or odd places from which a file without a mark is read as UTF-16: Latin text has one
in every second place."""


def decoded(name: str, data: bytes) -> tuple[str, tuple[Notice, ...]]:
    """Decode a file.

    Returns:
        The text without its mark, and a notice where the encoding was guessed.

    Raises:
        FileUnreadable: if no encoding fits.
    """
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "")
    encoding = marked or _utf16(data) or "utf-8"
    try:
        return data.decode(encoding), ()
    except UnicodeDecodeError as error:
        guessed = None if marked or encoding != "utf-8" else _guess(data)
        if guessed is None:
            raise FileUnreadable(
                f"{name} is not {encoding.removesuffix('-sig').upper()} (byte {error.start}). Save it as UTF-8 text."
            ) from error
    text, label = guessed
    message = f"{name} is not UTF-8 and was read as {label}, a guess. If letters are wrong, save it as UTF-8."
    return text, (Notice("file-encoding", message),)


def _utf16(data: bytes) -> str:
    """Tell UTF-16 without a mark by the zero bytes of its Latin letters."""
    sample = data[:2_000]
    half = max(1, len(sample) // 2)
    if sample[0::2].count(0) >= _NUL_SHARE * half > sample[1::2].count(0):
        return "utf-16-be"
    if sample[1::2].count(0) >= _NUL_SHARE * half > sample[0::2].count(0):
        return "utf-16-le"
    return ""


def _guess(data: bytes) -> tuple[str, str] | None:
    from charset_normalizer import from_bytes  # noqa: PLC0415  only files that are not UTF-8 need it

    if b"\0" in data:  # no text in a national encoding has one: a picture, a program
        return None
    best = from_bytes(data[:_SAMPLE_BYTES]).best()
    if best is None:
        return None
    try:
        return data.decode(best.encoding), best.encoding
    except (UnicodeDecodeError, LookupError):
        return None
