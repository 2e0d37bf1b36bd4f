"""What both clients are told when they are made, checked and turned into the web client's options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

import httpx

from app import __version__
from app.client.errors import Unreachable
from app.wire import certificates

if TYPE_CHECKING:
    import ssl

    from app.client.patience import Patience

DEFAULT_URL = "http://127.0.0.1:8000"


class Options(TypedDict):
    """Arguments of httpx's clients."""

    base_url: httpx.URL
    headers: dict[str, str]
    timeout: httpx.Timeout
    verify: ssl.SSLContext
    follow_redirects: bool


@dataclass(frozen=True, slots=True)
class Setup:
    """Where the service is, and how it is asked.

    Attributes:
        key: sent with every request, and shown nowhere; empty for none.
    """

    url: str
    key: str = field(repr=False)
    patience: Patience

    def __post_init__(self) -> None:
        """See that there is an address.

        Raises:
            ValueError: if there isn't.
        """
        parsed = httpx.URL(self.url)
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise ValueError("The service's address is written http://HOST:PORT or https://HOST.")

    def options(self) -> Options:
        """Give the web client's arguments; a redirect isn't followed, for the text and the key would go along."""
        named = {"User-Agent": f"originality-client/{__version__}", "Accept": "application/json"}
        return Options(
            base_url=httpx.URL(self.url),
            headers=named | ({"Authorization": f"Bearer {self.key}"} if self.key else {}),
            timeout=self.patience.timeout(),
            verify=certificates(),
            follow_redirects=False,
        )

    def unreachable(self, error: httpx.TransportError) -> Unreachable:
        """Say that no answer came."""
        url = httpx.URL(self.url)
        return Unreachable(
            f"No answer from {url.scheme}://{url.netloc.decode('ascii')} ({type(error).__name__}). See that the "
            "service runs, and that the address is right."
        )
