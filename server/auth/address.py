"""Whose request it is: the address that limits of attempts are counted by."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network


def client_address(remote: str | None, forwarded: str, trusted: Iterable[str]) -> str:
    """The address of the client: the last one of `forwarded` (X-Forwarded-For) that no trusted proxy is, when the
    request itself comes from a trusted proxy; `remote` otherwise. A client can write what it likes in front, so the
    list is read from its end."""
    networks = [ip_network(network) for network in trusted]
    address = remote or ""
    for hop in (remote or "", *reversed([part.strip() for part in forwarded.split(",") if part.strip()])):
        try:
            known = ip_address(hop)
        except ValueError:
            return address
        address = hop
        if not any(known in network for network in networks):
            return address
    return address
