"""The Hugging Face Hub: the card of a model, a data set or a space, and the data that a model's card names."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.errors import FileUnreadable, SourceUnusable
from app.fetch.answers import mapping, texts
from app.records import Notice
from app.submissions.encoding import decoded

if TYPE_CHECKING:
    from app.fetch.web import Web
    from app.submissions import Item

_NO = {401, 403, 404}
_HEAD = re.compile(r"\A---[^\S\n]*+\n.*?\n---[^\S\n]*+(?:\n|\Z)", re.DOTALL)
_MOST_DATA = 10


async def read_card(web: Web, base_url: str, item: Item, kind: str, path: str) -> list[Item]:
    """Read a card as one item.

    Args:
        kind: ``models``, ``datasets`` or ``spaces``.
        path: owner and name.

    Raises:
        SourceUnusable: if it isn't there, or has no card.
    """
    base, name = base_url.rstrip("/"), "/".join(quote(part, safe="") for part in path.split("/"))
    answer = await web.get(f"{base}/api/{kind}/{name}", _NO, "application/json")
    if answer.status != 200:
        # The hub says 401 of what isn't there as well, so that private names can't be guessed.
        raise SourceUnusable(f"{path} isn't on the hub, or is private. Check the link.")
    about = mapping(answer.json())
    prefix = "" if kind == "models" else f"{kind}/"
    card = await web.get(f"{base}/{prefix}{name}/raw/main/README.md", _NO, "text/plain")
    try:
        readme = decoded("README.md", card.body)[0] if card.status == 200 else ""
    except FileUnreadable as error:
        raise SourceUnusable(f"The card of {path}: {error}") from error
    text = _HEAD.sub("", readme).strip()
    if not text:
        raise SourceUnusable(f"{path} has no card that says anything. Give a link to where the project is described.")
    data = [tag.removeprefix("dataset:") for tag in texts(about.get("tags")) if tag.startswith("dataset:")][:_MOST_DATA]
    known = (
        f"\n\nIts data: {', '.join(data)}.\n" if data and not all(d.casefold() in text.casefold() for d in data) else ""
    )
    siblings = about.get("siblings")
    count = f"{len(siblings):,}" if isinstance(siblings, list) else "an unknown number of"
    return [
        replace(
            item,
            text=text + known,
            title=item.title or path.rpartition("/")[2],
            candidate=item.candidate or path.partition("/")[0],
            notices=(
                *item.notices,
                Notice("repository", f"{kind.removesuffix('s').capitalize()} {path}: {count} files."),
            ),
        )
    ]
