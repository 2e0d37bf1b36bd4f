"""Opens the store of collections that the settings name: folders, or a PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import BadInput, StoreUnavailable

if TYPE_CHECKING:
    from app.settings import Settings
    from app.store import Store


def open_store(settings: Settings, model: str) -> Store:
    """Open the store for what ``model`` makes; nothing is read or connected to before it is asked for something.

    Raises:
        BadInput: if the address is none of PostgreSQL's.
        StoreUnavailable: if the packages for it aren't installed.
    """
    if not settings.collections_url:
        from app.collection import Collections  # noqa: PLC0415  each store's libraries only where it is used

        return Collections(settings.collections_dir, model)
    if not settings.collections_url.startswith(("postgresql://", "postgres://")):
        raise BadInput("ORIGINALITY_COLLECTIONS_URL is no address of a PostgreSQL server: postgresql://HOST/DATABASE")
    try:
        from app.postgres import PostgresCollections  # noqa: PLC0415
    except ImportError as error:
        raise StoreUnavailable(
            f"Collections in PostgreSQL need a package that is missing ({error.name}). "
            "Run: pip install 'originality-checker[postgres]'"
        ) from error
    return PostgresCollections(settings.collections_url, model)
