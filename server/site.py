"""Where the server is reached: the address that links are built from, and the origins that may speak to it."""

from collections.abc import Iterable
from urllib.parse import urlsplit


class Site:
    """`public_url` has no slash at its end. With port 0 it is known only once the socket is bound."""

    def __init__(self, public_url: str, origins: Iterable[str] = ()) -> None:
        self.public_url = public_url
        self._origins = frozenset(origins)

    def __contains__(self, origin: object) -> bool:
        """Whether `origin` is one of the server's own pages or listed in the settings."""
        return origin == self.public_url or origin in self._origins

    @property
    def socket_url(self) -> str:
        """The address of the live sessions' WebSocket."""
        parts = urlsplit(self.public_url)
        return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/ws/live"
