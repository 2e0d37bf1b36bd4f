"""What the machine decides, read once from the environment; science is not in here but in ``app/data``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Fetching:
    """How the pages behind people's links are fetched, where somebody asks for that.

    Attributes:
        github_url, gitlab_url, hub_url, kaggle_url: base addresses, also of an enterprise's host or of a mirror.
            GitHub's is that of its API, such as ``https://github.example.org/api/v3``.
        github_token, gitlab_token, hub_token, kaggle_token: sent to these alone; Kaggle's may be ``name:key``.
        allowed_hosts: ``host:port`` of services inside one's own network; no other private address is ever asked.
        cache_dir: where answers with an ETag are kept; None for nowhere.
        cache_days: days after which they are removed.
        requests_per_host: most requests to one host in one run.
        seconds_between: shortest time from one request to a host to the next.
    """

    github_url: str = "https://api.github.com"
    gitlab_url: str = "https://gitlab.com"
    hub_url: str = "https://huggingface.co"
    kaggle_url: str = "https://www.kaggle.com"
    github_token: str = field(default="", repr=False)
    gitlab_token: str = field(default="", repr=False)
    hub_token: str = field(default="", repr=False)
    kaggle_token: str = field(default="", repr=False)
    allowed_hosts: tuple[str, ...] = ()
    cache_dir: Path | None = None
    cache_days: float = 7.0
    requests_per_host: int = 5_000
    seconds_between: float = 0.1

    @classmethod
    def from_environment(cls) -> Fetching:
        """Read ``ORIGINALITY_GITHUB_URL`` and so on; ``ORIGINALITY_FETCH_…`` for what isn't about one service."""
        plain = cls()
        texts = {
            name: os.environ.get(f"ORIGINALITY_{name.upper()}") or getattr(plain, name)
            for service in ("github", "gitlab", "hub", "kaggle")
            for name in (f"{service}_url", f"{service}_token")
        }
        allowed = os.environ.get("ORIGINALITY_FETCH_ALLOWED_HOSTS", "")
        cache = os.environ.get("ORIGINALITY_FETCH_CACHE_DIR")
        default = Path(platformdirs.user_cache_dir("originality-checker")) / "pages"
        return cls(
            **texts,
            allowed_hosts=tuple(host.strip().lower() for host in allowed.split(",") if host.strip()),
            cache_dir=None if cache == "" else Path(cache or default),
            cache_days=float(os.environ.get("ORIGINALITY_FETCH_CACHE_DAYS", plain.cache_days)),
            requests_per_host=int(os.environ.get("ORIGINALITY_FETCH_REQUESTS_PER_HOST", plain.requests_per_host)),
            seconds_between=float(os.environ.get("ORIGINALITY_FETCH_SECONDS_BETWEEN", plain.seconds_between)),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths and limits.

    Attributes:
        index_dir: folder of the built index.
        collections_dir: folder of an organisation's own collections.
        collections_url: of a PostgreSQL server that keeps them instead; empty for the folder.
        keys_file: who may do what with collections over the API; see ``app.keys``.
        catalogue_dir: folder of the catalogue's files.
        log_level: a level name of ``logging``.
        max_body_bytes: largest request body that the service reads.
        feedback_dir: folder of the notes that readers chose to leave; see ``app.feedback``.
        requests_per_minute: checks that one client address may ask for; 0 for no limit.
        encoder: what the model runs on: reference, fp32, int8 or auto; see ``app.runtime``.
        max_upload_bytes: largest form with a file that the page reads.
        fetching: how the page fetches the project behind a link; None for not at all.
    """

    index_dir: Path
    catalogue_dir: Path
    collections_dir: Path
    keys_file: Path
    feedback_dir: Path
    log_level: str = "INFO"
    max_body_bytes: int = 2_000_000
    requests_per_minute: int = 0
    collections_url: str = field(default="", repr=False)  # it may hold a password
    encoder: str = "auto"
    max_upload_bytes: int = 10_000_000
    fetching: Fetching | None = None

    @property
    def runtimes_dir(self) -> Path:
        """Folder of the graphs that are made of the weights."""
        return self.index_dir.parent / "runtimes"

    @classmethod
    def from_environment(cls) -> Settings:
        """Read ``ORIGINALITY_*``; in a checkout the index lives in ``indexes/``, else in the user's cache.

        ``ORIGINALITY_PAGE_LINKS=0`` makes a page that fetches nothing.
        """
        checkout = _HERE.parent / "indexes"
        in_checkout = checkout.is_dir() and (_HERE.parent / "pyproject.toml").is_file()
        default = checkout if in_checkout else Path(platformdirs.user_cache_dir("originality-checker")) / "indexes"
        index = Path(os.environ.get("ORIGINALITY_INDEX_DIR") or default / "catalogue")
        return cls(
            index_dir=index,
            collections_dir=Path(os.environ.get("ORIGINALITY_COLLECTIONS_DIR") or index.parent / "collections"),
            keys_file=Path(os.environ.get("ORIGINALITY_KEYS_FILE") or index.parent / "keys.json"),
            feedback_dir=Path(os.environ.get("ORIGINALITY_FEEDBACK_DIR") or index.parent / "feedback"),
            catalogue_dir=Path(os.environ.get("ORIGINALITY_CATALOGUE_DIR") or _HERE / "data"),
            log_level=os.environ.get("ORIGINALITY_LOG_LEVEL", "INFO").upper(),
            max_body_bytes=int(os.environ.get("ORIGINALITY_MAX_BODY_BYTES", "2000000")),
            requests_per_minute=int(os.environ.get("ORIGINALITY_REQUESTS_PER_MINUTE", "0")),
            collections_url=os.environ.get("ORIGINALITY_COLLECTIONS_URL", ""),
            encoder=os.environ.get("ORIGINALITY_ENCODER", "auto"),
            max_upload_bytes=int(os.environ.get("ORIGINALITY_MAX_UPLOAD_BYTES", "10000000")),
            fetching=None if os.environ.get("ORIGINALITY_PAGE_LINKS") == "0" else Fetching.from_environment(),
        )
