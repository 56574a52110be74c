"""This module owns the addresses of cameras: what one looks like, how it is shown without its password, and that the
server goes only into networks where cameras are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

PORTS = {"rtsp": 554, "rtsps": 322}
LONGEST = 1024


class CameraRefused(Exception):
    """An address that is none of a camera in the networks that the settings name. `reason`: `address` or `network`."""

    code = "camera_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def shown(url: str) -> str:
    """The address as people are shown it: without name and password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def checked(url: str) -> str:
    """The address, when it looks like one of a camera."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise CameraRefused("address") from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    if not plain or parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise CameraRefused("address")
    return url


def redirected(source: str, location: str) -> str:
    """The address at `location`, to which the camera at `source` sends its watcher. Name and password go along on the
    same host only: a camera must not send them to another."""
    before, after = urlsplit(source), urlsplit(checked(location))
    if after.hostname != before.hostname or "@" in after.netloc:
        return location
    credentials, at, _ = before.netloc.rpartition("@")
    return urlunsplit((after.scheme, f"{credentials}{at}{after.netloc}", after.path, after.query, ""))


async def reachable(url: str, networks: Sequence[str]) -> str:
    """The address with its host looked up, so that nobody can answer otherwise a moment later; raises CameraRefused
    when that lies outside of `networks`."""
    parts = urlsplit(checked(url))
    port = parts.port or PORTS[parts.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        raise CameraRefused("address") from None
    ip = ip_address(found[0][4][0])
    if not any(ip in ip_network(network) for network in networks):
        raise CameraRefused("network")
    credentials, at, _ = parts.netloc.rpartition("@")
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    return urlunsplit((parts.scheme, f"{credentials}{at}{host}:{port}", parts.path, parts.query, ""))
