"""What the machine decides, read once from the environment; science is not in here but in ``app/data``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths and limits.

    Attributes:
        index_dir: folder of the built index.
        collections_dir: folder of an organisation's own collections.
        keys_file: who may do what with collections over the API; see ``app.keys``.
        catalogue_dir: folder of the catalogue's files.
        log_level: a level name of ``logging``.
        max_body_bytes: largest request body that the service reads.
        requests_per_minute: checks that one client address may ask for; 0 for no limit.
    """

    index_dir: Path
    catalogue_dir: Path
    collections_dir: Path
    keys_file: Path
    log_level: str = "INFO"
    max_body_bytes: int = 2_000_000
    requests_per_minute: int = 0

    @classmethod
    def from_environment(cls) -> Settings:
        """Read ``ORIGINALITY_*``; in a checkout the index lives in ``indexes/``, else in the user's cache."""
        checkout = _HERE.parent / "indexes"
        in_checkout = checkout.is_dir() and (_HERE.parent / "pyproject.toml").is_file()
        default = checkout if in_checkout else Path(platformdirs.user_cache_dir("originality-checker")) / "indexes"
        index = Path(os.environ.get("ORIGINALITY_INDEX_DIR") or default / "catalogue")
        return cls(
            index_dir=index,
            collections_dir=Path(os.environ.get("ORIGINALITY_COLLECTIONS_DIR") or index.parent / "collections"),
            keys_file=Path(os.environ.get("ORIGINALITY_KEYS_FILE") or index.parent / "keys.json"),
            catalogue_dir=Path(os.environ.get("ORIGINALITY_CATALOGUE_DIR") or _HERE / "data"),
            log_level=os.environ.get("ORIGINALITY_LOG_LEVEL", "INFO").upper(),
            max_body_bytes=int(os.environ.get("ORIGINALITY_MAX_BODY_BYTES", "2000000")),
            requests_per_minute=int(os.environ.get("ORIGINALITY_REQUESTS_PER_MINUTE", "0")),
        )
