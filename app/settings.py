"""What the machine decides, read once from the environment; science is not in here but in ``app/data``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import platformdirs

from app.errors import BadSetting

_HERE = Path(__file__).resolve().parent
_ACCESS = {"": None, "open": False, "keys": True}


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
class LanguageModel:
    """A language model that words suggestions anew, where somebody chooses one; see ``app.rephrase``.

    Attributes:
        url: base address of an OpenAI-compatible endpoint, such as ``http://127.0.0.1:11434/v1``.
        model: its name there.
        key: sent to that address alone.
        timeout_s: longest time that a report waits for it, repeated attempts included.
        max_tokens: of one answer.
        requests_per_day, tokens_per_day: the budget of this process.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float = 20.0
    max_tokens: int = 4_000
    requests_per_day: int = 500
    tokens_per_day: int = 1_000_000

    @classmethod
    def from_environment(cls) -> LanguageModel | None:
        """Read ``ORIGINALITY_LLM_…``; None where no address is given.

        Raises:
            BadSetting: if the model is missing, or a number isn't one above 0.
        """
        url, model = os.environ.get("ORIGINALITY_LLM_URL", ""), os.environ.get("ORIGINALITY_LLM_MODEL", "")
        if not url:
            return None
        if not model:
            raise BadSetting(
                "ORIGINALITY_LLM_URL is set and ORIGINALITY_LLM_MODEL isn't: name the model, or unset both."
            )
        usual = cls(url, model)
        return cls(
            url,
            model,
            os.environ.get("ORIGINALITY_LLM_KEY", ""),
            timeout_s=_above_zero("ORIGINALITY_LLM_TIMEOUT_S", usual.timeout_s, 600),
            max_tokens=ceil(_above_zero("ORIGINALITY_LLM_MAX_TOKENS", usual.max_tokens, 100_000)),
            requests_per_day=ceil(_above_zero("ORIGINALITY_LLM_REQUESTS_PER_DAY", usual.requests_per_day, 1e9)),
            tokens_per_day=ceil(_above_zero("ORIGINALITY_LLM_TOKENS_PER_DAY", usual.tokens_per_day, 1e12)),
        )


def _above_zero(name: str, usual: float, most: float) -> float:
    given = os.environ.get(name, "").strip()
    try:
        number = float(given) if given else usual
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise BadSetting(f"{name} is {given!r}; give a number above 0, at most {most:,.0f}, or unset it.")
    return number


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
        requests_per_minute: what one key, or address without one, may ask of the API; 0 for no limit.
        api_keys: whether the whole API asks for keys; None for where it doesn't listen on loopback alone.
        ray_address: of a Ray cluster that the engine daft works on; empty for this process.
        encoder: what the model runs on: reference, fp32, int8 or auto; see ``app.runtime``.
        screenings_url: database of screenings, ``sqlite:////path`` or ``postgresql://user:password@host/name``; empty
            for a file of SQLite beside the index.
        screenings_days: days that a screening is kept.
        screenings_lease_s: seconds after which another worker takes over what a killed one held.
        max_upload_bytes: largest file that is taken on as a screening.
        language_model: words suggestions anew over the network; None, and nothing leaves the machine.
        max_file_bytes: largest form with a file that the page reads.
        fetching: how the page fetches the project behind a link; None for not at all.
        log_format: of the service's lines: json, one object a line, or text, for a person at a terminal.
        drain_s: how long a service that was told to end (SIGTERM) says so at /ready before it takes no more requests.
        grace_s: longest time that requests under way may take from then on.
        traces_url: of an OpenTelemetry collector, such as ``http://127.0.0.1:4318/v1/traces``; empty for no traces.
        allow_drift: go on where the judge or the verdicts are not those that the release was tested with.
        max_wait_s: longest wait of a request for a worker; who would wait longer is told so at once. With the work
            itself it stays below the minute for which clients and proxies usually wait.
    """

    index_dir: Path
    catalogue_dir: Path
    collections_dir: Path
    keys_file: Path
    feedback_dir: Path
    log_level: str = "INFO"
    max_body_bytes: int = 2_000_000
    requests_per_minute: int = 0
    api_keys: bool | None = None
    collections_url: str = field(default="", repr=False)  # it may hold a password
    encoder: str = "auto"
    screenings_url: str = field(default="", repr=False)  # likewise
    screenings_days: float = 30.0
    screenings_lease_s: float = 120.0
    max_upload_bytes: int = 50_000_000
    language_model: LanguageModel | None = None
    ray_address: str = ""
    max_file_bytes: int = 10_000_000
    fetching: Fetching | None = None
    log_format: str = "json"
    drain_s: float = 2.0
    grace_s: float = 20.0
    traces_url: str = field(default="", repr=False)  # likewise
    allow_drift: bool = False
    max_wait_s: float = 45.0

    @property
    def ask_keys(self) -> bool:
        """Tell whether every request of the API needs a key; collections' always do."""
        return bool(self.api_keys)

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
            api_keys=_access("ORIGINALITY_API_ACCESS"),
            collections_url=os.environ.get("ORIGINALITY_COLLECTIONS_URL", ""),
            encoder=os.environ.get("ORIGINALITY_ENCODER", "auto"),
            screenings_url=os.environ.get("ORIGINALITY_SCREENINGS_URL", ""),
            screenings_days=float(os.environ.get("ORIGINALITY_SCREENINGS_DAYS", "30")),
            screenings_lease_s=float(os.environ.get("ORIGINALITY_SCREENINGS_LEASE_S", "120")),
            max_upload_bytes=int(os.environ.get("ORIGINALITY_MAX_UPLOAD_BYTES", "50000000")),
            language_model=LanguageModel.from_environment(),
            ray_address=os.environ.get("ORIGINALITY_RAY_ADDRESS", ""),
            max_file_bytes=int(os.environ.get("ORIGINALITY_MAX_FILE_BYTES", "10000000")),
            fetching=None if os.environ.get("ORIGINALITY_PAGE_LINKS") == "0" else Fetching.from_environment(),
            log_format=_one_of("ORIGINALITY_LOG_FORMAT", "json", "text"),
            drain_s=_seconds("ORIGINALITY_DRAIN_S", 2.0),
            grace_s=_seconds("ORIGINALITY_GRACE_S", 20.0),
            traces_url=os.environ.get("ORIGINALITY_TRACES_URL", ""),
            allow_drift=_one_of("ORIGINALITY_ALLOW_DRIFT", "0", "1") == "1",
            max_wait_s=_above_zero("ORIGINALITY_MAX_WAIT_S", 45.0, 3_600),
        )


def _one_of(name: str, usual: str, *others: str) -> str:
    given = os.environ.get(name, "").strip().lower() or usual
    if given not in {usual, *others}:
        raise BadSetting(f"{name} is {given[:20]!r}; {', '.join([usual, *others])} are allowed.")
    return given


def _seconds(name: str, usual: float) -> float:
    """Read a time; 0 is one, too."""
    return 0.0 if os.environ.get(name, "").strip() == "0" else _above_zero(name, usual, 3_600)


def _access(name: str) -> bool | None:
    given = os.environ.get(name, "").strip().lower()
    if given not in _ACCESS:
        raise BadSetting(f"{name} is neither open nor keys. Set it to one of them, or leave it out.")
    return _ACCESS[given]
