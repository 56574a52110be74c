"""The client's address behind proxies, and against clients that lie about it."""

import pytest

from server.auth.address import client_address

PROXY = ["10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "address"),
    [
        ("203.0.113.9", "", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", PROXY, "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1", PROXY, "198.51.100.1"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1", PROXY, "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, 10.0.0.7", PROXY, "198.51.100.1"),
        ("10.0.0.2", "nonsense", PROXY, "10.0.0.2"),
        ("10.0.0.2", "", PROXY, "10.0.0.2"),
        ("::1", "2001:db8::5", PROXY, "2001:db8::5"),
        (None, "198.51.100.1", PROXY, ""),
    ],
)
def test_address_is_the_last_that_no_proxy_is(
    remote: str | None, forwarded: str, trusted: list[str], address: str
) -> None:
    assert client_address(remote, forwarded, trusted) == address
