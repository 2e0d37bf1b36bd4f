"""Who may do what over the API: keys with rights and an end, of which only hashes are kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from app.errors import AccessDenied, BadInput, KeysUnusable, ScopeMissing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Right = Literal["read", "write"]
_NO_KEY = "There is no key of that name. See: originality keys list"
KEY_BYTES = 32
"""Chance behind a key: beyond guessing, so that a plain hash keeps it safe and needs no salt."""
PREFIX = "ok_"
EVERY = "*"
"""Stands for all collections."""
Scope = Literal["check", "search", "feedback"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What the API does without a collection, each a right of its own, written without more."""
RESERVED = "@"
"""Begins the name under which what is no collection stands among a key's rights; no collection's name has it."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key.

    Attributes:
        name: whose it is; two rows have the same where a key was changed for another and still holds for a while.
        sha256: of the key itself.
        rights: collection, or ``*`` for all of them, to what may be done with it; writing includes reading. A scope
            stands among them behind ``@``.
        expires: ISO date of its last day; empty for none.
        per_minute: requests that it may make; 0 for what the service allows everyone.
    """

    name: str
    sha256: str
    rights: Mapping[str, Right]
    expires: str = ""
    per_minute: int = 0

    def may(self, right: Right, collection: str) -> bool:
        """Tell whether it allows that."""
        given = {self.rights.get(collection)}
        if not collection.startswith(RESERVED):
            given.add(self.rights.get(EVERY))
        return "write" in given or right in given


def load(file: Path) -> tuple[Key, ...]:
    """Read the keys; none where there is no file.

    Raises:
        KeysUnusable: if the file isn't what ``add`` writes.
    """
    try:
        rows = json.loads(file.read_bytes())
        return tuple(_key(row) for row in rows)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadInput) as error:
        raise KeysUnusable(
            f"{file.name} can't be read as keys ({type(error).__name__}). Restore it, or delete it and make keys anew: "
            "originality keys add NAME --may read:COLLECTION"
        ) from error


def add(file: Path, name: str, rights: Mapping[str, Right], expires: str = "", per_minute: int = 0) -> str:
    """Make a key and keep its hash; a key of the same name is replaced.

    Returns:
        The key: shown once, and kept nowhere.

    Raises:
        BadInput: if there is no right, or the date is none.
        KeysUnusable: if the file that is there can't be read.
    """
    if not name.strip() or not rights:
        raise BadInput("A key needs a name and at least one right, such as --may check or --may read:past-projects.")
    last = _day(expires).isoformat() if expires else ""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    kept = [one for one in load(file) if one.name != name]
    _save(file, [*kept, Key(name, _hash(key), dict(rights), last, per_minute)])
    return key


def rotate(file: Path, name: str, keep_days: int = 0, today: dt.date | None = None) -> str:
    """Make another key with the same rights in the place of one.

    Args:
        keep_days: how many days after today the old key still holds, so that nobody has to change at one moment; 0 ends
            it at once.

    Returns:
        The new key: shown once, and kept nowhere.

    Raises:
        BadInput: if there is none of that name.
        KeysUnusable: if the file can't be read.
    """
    now = today or dt.datetime.now(dt.UTC).date()
    found = load(file)
    old = next((one for one in reversed(found) if one.name == name), None)
    if old is None:
        raise BadInput(_NO_KEY)
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    last = now + dt.timedelta(days=keep_days)
    ended = min(last, _day(old.expires)) if old.expires else last
    kept = [replace(old, expires=ended.isoformat())] if keep_days else []
    _save(file, [*(one for one in found if one.name != name), *kept, replace(old, sha256=_hash(key))])
    return key


def remove(file: Path, name: str) -> None:
    """Take a key's rights away.

    Raises:
        BadInput: if there is none of that name.
        KeysUnusable: if the file can't be read.
    """
    found = load(file)
    if name not in {one.name for one in found}:
        raise BadInput(_NO_KEY)
    _save(file, [one for one in found if one.name != name])


def identify(known: Sequence[Key], given: str, today: dt.date | None = None) -> Key:
    """Find the key that was given.

    Raises:
        AccessDenied: if it is none of ours or has ended; the message is the same for both.
    """
    hashed = _hash(given)
    found = [one for one in known if secrets.compare_digest(one.sha256, hashed)]
    now = today or dt.datetime.now(dt.UTC).date()
    if not found or (found[0].expires and _day(found[0].expires) < now):
        raise AccessDenied(
            "This needs a valid key: send it as 'Authorization: Bearer KEY'. Whoever runs the service makes one with: "
            "originality keys add NAME --may RIGHT, such as check or read:COLLECTION",
            known=False,
        )
    return found[0]


def admit(key: Key, right: Right, collection: str) -> None:
    """See that a key allows what is asked.

    Raises:
        AccessDenied: if it doesn't; the message is the same for a collection that isn't there.
    """
    if not key.may(right, collection):
        raise AccessDenied("There is no such collection, or this key may not do that with it.", known=True)


def allow(key: Key, scope: Scope) -> None:
    """See that a key allows what the API does without a collection.

    Raises:
        ScopeMissing: if it doesn't.
    """
    if not key.may("read", RESERVED + scope):
        raise ScopeMissing(
            f"This key may not do that. Whoever runs the service makes one that may: "
            f"originality keys add NAME --may {scope}",
            known=True,
        )


def written(granted: Mapping[str, Right]) -> list[str]:
    """Write rights as the command line takes them."""
    return [
        name.removeprefix(RESERVED) if name.removeprefix(RESERVED) in SCOPES else f"{right}:{name}"
        for name, right in granted.items()
    ]


def rights(given: Sequence[str]) -> dict[str, Right]:
    """Read rights as the command line takes them: a scope, or ``read:NAME`` or ``write:NAME``, ``*`` for all.

    Raises:
        BadInput: if one is written otherwise.
    """
    found: dict[str, Right] = {}
    for one in given:
        if one in SCOPES:
            found[RESERVED + one] = "read"
            continue
        right, _, name = one.partition(":")
        if right not in {"read", "write"} or not name:
            raise BadInput(
                f"A right is {', '.join(SCOPES)}, or written read:COLLECTION or write:COLLECTION; * stands for all "
                "collections."
            )
        found[name] = "write" if right == "write" else "read"
    return found


def _key(row: Any) -> Key:
    given: dict[str, Right] = rights([f"{right}:{name}" for name, right in row["rights"].items()])
    expires = _day(row["expires"]).isoformat() if row["expires"] else ""
    return Key(str(row["name"]), str(row["sha256"]), given, expires, int(row.get("per_minute", 0)))


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("A key's last day is a date such as 2027-01-31.") from error


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _save(file: Path, found: Sequence[Key]) -> None:
    """Replace the file in one step, readable by its owner alone.

    Raises:
        KeysUnusable: if the disk refuses; the keys that were there stay.
    """
    rows = [
        {
            "name": k.name,
            "sha256": k.sha256,
            "rights": dict(k.rights),
            "expires": k.expires,
            "per_minute": k.per_minute,
        }
        for k in found
    ]
    fresh = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, fresh = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(rows, indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        Path(fresh).replace(file)
    except OSError as error:
        if fresh:
            Path(fresh).unlink(missing_ok=True)
        raise KeysUnusable(
            f"{file.name} can't be written ({error.strerror}); the keys that were there still hold. See that its disk "
            "has room and may be written to, and try again."
        ) from error
