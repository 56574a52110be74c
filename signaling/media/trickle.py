"""Fragments of a session description (RFC 8840): what a WHIP or WHEP program says of its ICE session after the offer,
and what it is answered. This module owns how they are read and written.

An ICE-lite server has no use for a program's candidates: it learns addresses from their checks. They are read all the
same, so that garbage is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from aiortc import sdp
from aiortc.rtcicetransport import RTCIceCandidate

from signaling.media.errors import BadOffer
from signaling.media.ice import Credentials
from signaling.media.negotiation import check_credentials

LARGEST_FRAGMENT = 64 << 10

_LINE = re.compile(r"(?:a=[!#-'*+\-.0-9A-Z^-~]+(?::.+)?|m=(?:audio|video|application) \d+ [A-Z/]+(?: \S+)+)")
_CANDIDATE = re.compile(
    r"\S{1,64} \d{1,3} \S{1,16} \d{1,10} \S{1,255} \d{1,5} typ [a-z]+(?: \S+)*",
)
_KNOWN = ("candidate", "end-of-candidates", "ice-ufrag", "ice-pwd")


def read_fragment(text: str) -> Credentials | None:
    """The program's ICE credentials; None where it only brings candidates. Raises BadOffer."""
    if len(text) > LARGEST_FRAGMENT:
        raise BadOffer("the fragment is too large")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        if not _LINE.fullmatch(line):
            raise BadOffer("the fragment has a line that is neither an attribute nor a section")
        name, _, value = line[2:].partition(":") if line.startswith("a=") else ("", "", "")
        if name == "candidate" and not _CANDIDATE.fullmatch(value.strip()):
            raise BadOffer("a candidate cannot be read")
        if name in _KNOWN:
            found[name] = value.strip()
    if not found:
        raise BadOffer("the fragment has neither candidates nor credentials")
    if "ice-ufrag" not in found and "ice-pwd" not in found:
        return None
    return check_credentials(found.get("ice-ufrag"), found.get("ice-pwd"))


def write_fragment(mine: Credentials, kind: str, mid: str, candidates: Iterable[RTCIceCandidate]) -> str:
    """The answer to an ICE restart, for the section that carries the bundle."""
    lines = ["a=ice-lite", f"a=ice-ufrag:{mine.ufrag}", f"a=ice-pwd:{mine.password}"]
    lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF 0", f"a=mid:{mid}"]
    lines += [f"a=candidate:{sdp.candidate_to_sdp(candidate)}" for candidate in candidates]
    return "\r\n".join([*lines, "a=end-of-candidates", ""])
