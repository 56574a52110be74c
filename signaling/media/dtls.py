"""DTLS and the SRTP keys, by aiortc's RTCDtlsTransport. This module owns the private names of aiortc and pylibsrtp that
we lean on; tests/unit/test_media_hooks.py holds their contract."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, cast

from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceTransport
from pylibsrtp import Error as SrtpError

from signaling.media.ice import IceLite

Role = Literal["client", "server"]

RENEW_BEFORE = datetime.timedelta(days=7)  # aiortc's certificates last 30 days


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.UTC)


class CertificateStore:
    """The server's certificate (ECDSA P-256). Peers keep the one they began with; a new peer gets the newest."""

    def __init__(self, now: Callable[[], datetime.datetime] = _utc_now) -> None:
        self._now = now
        self._current: RTCCertificate | None = None

    def current(self) -> RTCCertificate:
        if self._current is None or self._current.expires - self._now() < RENEW_BEFORE:
            self._current = RTCCertificate.generateCertificate()
        return self._current


class Fingerprint(NamedTuple):
    algorithm: str
    value: str


class DtlsSession:
    """DTLS of one peer over its ICE agent."""

    def __init__(self, ice: IceLite, certificate: RTCCertificate) -> None:
        # RTCDtlsTransport uses only _recv, _send and role of what it takes for an RTCIceTransport.
        self._transport = RTCDtlsTransport(cast(RTCIceTransport, ice), [certificate])
        self._session: Any = None

    @property
    def state(self) -> str:
        return self._transport.state

    def fingerprints(self) -> list[RTCDtlsFingerprint]:
        return [f for f in self._transport.getLocalParameters().fingerprints if f.algorithm == "sha-256"]

    async def connect(self, role: Role, remote: frozenset[Fingerprint], on_change: Callable[[], None]) -> bool:
        """Does the handshake succeed, with a certificate of `remote`?"""
        self._transport._set_role(role)
        await self._transport.start(
            RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(f.algorithm, f.value) for f in sorted(remote)])
        )
        if self._transport.state != "connected":
            return False
        self._transport.on("statechange", on_change)
        return True

    async def stop(self) -> None:
        await self._transport.stop()

    def srtp_pointers(self) -> tuple[Any, Any]:
        """libsrtp's sessions (receive, send) for srtp_unprotect and srtp_protect in place."""
        return self._transport._rx_srtp._srtp[0], self._transport._tx_srtp._srtp[0]

    def unprotect_rtcp(self, data: bytes) -> bytes:
        """Raises ValueError for what this peer's key did not seal, or what is replayed."""
        try:
            return bytes(self._transport._rx_srtp.unprotect_rtcp(data))
        except SrtpError as error:
            raise ValueError(str(error)) from error

    def protect_rtcp(self, data: bytes) -> bytes:
        return bytes(self._transport._tx_srtp.protect_rtcp(data))
