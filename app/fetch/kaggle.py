"""Kaggle: notebooks and data sets by its API where that lets us, else what their pages say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from app.errors import FileUnreadable
from app.fetch.answers import mapping, text
from app.fetch.page import read_page
from app.submissions import notebook

if TYPE_CHECKING:
    from app.fetch.web import Web
    from app.submissions import Item

_NO = {400, 401, 403, 404}


async def read_code(web: Web, base_url: str, item: Item, owner: str, name: str) -> list[Item]:
    """Read a notebook; without a token Kaggle may not give it away, and the page is read."""
    query = f"userName={quote(owner, safe='')}&kernelSlug={quote(name, safe='')}"
    answer = await web.get(f"{base_url.rstrip('/')}/api/v1/kernels/pull?{query}", _NO, "application/json")
    found = mapping(answer.json()) if answer.status == 200 else {}
    if source := text(found, "blob", "source"):
        try:
            said = notebook.parse(name, source.encode()).text
        except FileUnreadable:  # a script, and no notebook: its comments can't be told from its code in any language
            said = ""
        if said.strip():
            title = item.title or text(found, "metadata", "title") or name
            return [replace(item, text=said, title=title, candidate=item.candidate or owner)]
    return [replace(one, candidate=one.candidate or owner) for one in await read_page(web, item)]


async def read_dataset(web: Web, base_url: str, item: Item, owner: str, name: str) -> list[Item]:
    """Read a data set's description."""
    place = f"{base_url.rstrip('/')}/api/v1/datasets/view/{quote(owner, safe='')}/{quote(name, safe='')}"
    answer = await web.get(place, _NO, "application/json")
    found = mapping(answer.json()) if answer.status == 200 else {}
    title, subtitle, description = (_field(found, name) for name in ("title", "subtitle", "description"))
    if description:
        said = "\n\n".join(filter(None, (title, subtitle, description)))
        return [replace(item, text=said, title=item.title or title or name, candidate=item.candidate or owner)]
    return [replace(one, candidate=one.candidate or owner) for one in await read_page(web, item)]


def _field(found: dict[str, Any], name: str) -> str:
    """Take a field under its name, or under the one that newer answers have it."""
    return (text(found, name) or text(found, f"{name}Nullable")).strip()
