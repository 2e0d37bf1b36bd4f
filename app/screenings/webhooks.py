"""Tells other services that a screening has ended: signed as the Standard Webhooks specification has it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import time
from typing import TYPE_CHECKING

from app.errors import BadInput, SourceUnusable

if TYPE_CHECKING:
    from app.screenings.desk import Books
    from app.settings import Fetching

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64
"""Length of a secret, as the specification asks for it."""
GONE = 410
_ADVICE = f"A webhook's secret is {PREFIX} and base64 of {LEAST_BYTES} to {MOST_BYTES} random bytes."


def secret_bytes(secret: str) -> bytes:
    """Read a secret.

    Raises:
        BadInput: if it isn't written as the specification has it; it is not repeated.
    """
    try:
        found = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(_ADVICE) from error
    if not secret.startswith(PREFIX) or not LEAST_BYTES <= len(found) <= MOST_BYTES:
        raise BadInput(_ADVICE)
    return found


def signed(message: str, secret: str, body: bytes, now: int) -> dict[str, str]:
    """Give the headers of a message: its id, the moment in seconds since 1970, and the signature over both and it."""
    content = f"{message}.{now}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret_bytes(secret), content, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{signature}",
    }


async def send_one(books: Books, fetching: Fetching) -> bool:
    """Send the next message that is due; False where there is none."""
    message = await asyncio.to_thread(books.outbox.take)
    if message is None:
        return False
    from app.fetch import Web  # noqa: PLC0415  a web client, for those alone who ask to be told
    from app.wire import Limits  # noqa: PLC0415  likewise

    # One attempt; the others are made later, and by whichever process is there then.
    limits = Limits(attempts=1, step_s=10, total_s=20, max_bytes=1_000_000)
    body = message.body.encode()
    fault, gone = "", False
    try:
        async with Web(fetching, limits) as web:
            status = await web.post(message.url, body, signed(message.id, message.secret, body, int(time.time())))
        gone = status == GONE
        fault = "The receiver wants no more messages (410)." if gone else ""
    except SourceUnusable as error:
        fault = str(error)
    await asyncio.to_thread(books.outbox.note, message, fault, last=gone)
    return True
