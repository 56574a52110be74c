"""Offers and answers. This module owns what an SDP offer must look like, which codecs a room uses and how the answer is
written. `aiortc.sdp` reads and writes the lines; everything it may trip over becomes a BadOffer.
"""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from aiortc import sdp
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceCandidate, RTCIceParameters
from aiortc.rtcpeerconnection import is_codec_compatible
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpParameters,
)

from signaling.media.dtls import Fingerprint, Role
from signaling.media.errors import BadOffer, NothingAcceptable
from signaling.media.ice import Credentials
from signaling.media.rtp import ABS_SEND_TIME, AUDIO_LEVEL, MID

Kind = Literal["audio", "video"]
Direction = Literal["recvonly", "sendonly"]  # the server's: recvonly to a publisher, sendonly to a subscriber

LARGEST_OFFER = 512 << 10
MOST_SECTIONS = 64
LONGEST_MID = 16  # what a one-byte header extension holds
PROFILES = ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "TCP/TLS/RTP/SAVPF")

_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]+")
_ICE_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_ICE_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_NACK = RTCRtcpFeedback("nack")
_FEEDBACK = (
    _NACK,
    RTCRtcpFeedback("nack", "pli"),
    RTCRtcpFeedback("ccm", "fir"),
    RTCRtcpFeedback("goog-remb"),
)
_IS_LIBWEBRTC = RTCRtcpFeedback("transport-cc")
"""Who offers this for Opus sends lost sound again and asks for it, in both directions, once the answer says `nack`; its
own offers never do."""
_ROLES: dict[str | None, Role] = {"auto": "server", "client": "server", "server": "client"}  # offered -> ours
_UNREADABLE = (ValueError, AssertionError, KeyError, IndexError, AttributeError, TypeError, StopIteration)

_OPUS = RTCRtpCodecParameters("audio/opus", 48000, 2)
_H264 = [
    RTCRtpCodecParameters("video/H264", 90000, parameters={"packetization-mode": "1", "profile-level-id": profile})
    for profile in ("42e01f", "42001f")
]
_VP8 = RTCRtpCodecParameters("video/VP8", 90000)
CODECS: dict[Kind, list[RTCRtpCodecParameters]] = {"audio": [_OPUS], "video": [*_H264, _VP8]}


class Format(NamedTuple):
    """One codec of a section with the offer's payload types; `rtx` carries its retransmissions."""

    codec: RTCRtpCodecParameters
    rtx: RTCRtpCodecParameters | None

    @property
    def name(self) -> str:
        return self.codec.name.lower()

    @property
    def resends(self) -> bool:
        """Does the other side send again what is asked for?"""
        return _NACK in self.codec.rtcpFeedback


@dataclass
class Media:
    """One accepted m-section of a peer: its mid, codecs and SSRCs never change. A publisher's section that is to come
    in another codec is another Media of the same mid."""

    kind: Kind
    mid: str
    formats: tuple[Format, ...]
    extensions: dict[str, int]
    active: bool = False
    stream: str = "-"  # msid: a browser keeps the audio and video of one stream in step
    remote_ssrc: int | None = None
    remote_rtx_ssrc: int | None = None
    offered: frozenset[str] = frozenset()  # the codecs of its last offer that we share
    ssrc: int = field(default_factory=lambda: secrets.randbits(32) | 1)
    rtx_ssrc: int = field(default_factory=lambda: secrets.randbits(32) & ~1)

    def format(self, name: str) -> Format | None:
        return next((f for f in self.formats if f.name == name), None)


@dataclass
class Section:
    """One m-section of an offer. usable: it is bundled, not stopped, muxed and of a kind and profile we know."""

    mid: str
    kind: str
    direction: str
    usable: bool
    description: sdp.MediaDescription


@dataclass
class Offer:
    sections: list[Section]
    credentials: Credentials
    fingerprints: frozenset[Fingerprint]
    role: Role


@dataclass
class Accepted:
    section: Section
    media: Media | None  # None: refused


def parse_offer(text: str) -> Offer:
    if len(text) > LARGEST_OFFER:
        raise BadOffer("the offer is too large")
    if text.count("\nm=") > MOST_SECTIONS:
        raise BadOffer("the offer has too many sections")
    try:
        description = sdp.SessionDescription.parse(text)
        bundle_only = ["a=bundle-only" in lines for lines in sdp.grouplines(text)[1]]
    except _UNREADABLE as error:
        raise BadOffer(f"the offer cannot be read: {type(error).__name__}: {error}"[:200]) from error
    if not description.media:
        raise BadOffer("the offer has no media section")
    bundle = next((group.items for group in description.group if group.semantic == "BUNDLE"), None)
    sections: list[Section] = []
    for media, only in zip(description.media, bundle_only, strict=True):
        mid = media.rtp.muxId
        if mid and (len(mid) > LONGEST_MID or not _TOKEN.fullmatch(mid)):
            raise BadOffer("a mid is no token of at most 16 characters")
        if mid and any(section.mid == mid for section in sections):
            raise BadOffer("two sections have the same mid")
        bundled = mid in bundle if bundle is not None else not sections
        alive = media.port > 0 or only
        usable = bool(mid and bundled and alive and media.rtcp_mux)
        usable = usable and media.kind in ("audio", "video") and media.profile in PROFILES
        sections.append(Section(mid or "", media.kind, media.direction or "sendrecv", usable, media))
    leader = next((section.description for section in sections if section.usable), None)
    if leader is None:
        raise NothingAcceptable("no section of audio or video, bundled and with rtcp-mux")
    return Offer(sections, _credentials(leader), _fingerprints(leader), _role(leader))


def _credentials(media: sdp.MediaDescription) -> Credentials:
    if media.ice is None:
        raise BadOffer("ICE credentials are missing")
    return check_credentials(media.ice.usernameFragment, media.ice.password)


def check_credentials(ufrag: str | None, password: str | None) -> Credentials:
    if not _ICE_UFRAG.fullmatch(ufrag or "") or not _ICE_PASSWORD.fullmatch(password or ""):
        raise BadOffer("ICE credentials are missing or malformed")
    return Credentials(ufrag or "", password or "")


def _fingerprints(media: sdp.MediaDescription) -> frozenset[Fingerprint]:
    given = media.dtls.fingerprints if media.dtls is not None else []
    known = frozenset(
        Fingerprint(f.algorithm.lower(), f.value.upper())
        for f in given
        if f.algorithm.lower() in ("sha-256", "sha-384", "sha-512")
    )
    if not known:
        raise BadOffer("no certificate fingerprint by SHA-256, SHA-384 or SHA-512")
    return known


def _role(media: sdp.MediaDescription) -> Role:
    return _ROLES[media.dtls.role if media.dtls is not None and media.dtls.role else "auto"]


def accept(
    offer: Offer, direction: Direction, known: Mapping[str, Media], most: int, codec: str = ""
) -> list[Accepted]:
    """What of the offer we take, `known` sections as they were. Nothing is changed: see `commit`.

    A publisher is offered one codec for each section, which decides what it sends: of pictures `codec`, where it offers
    that. A known section that was answered with another one begins anew. A subscriber is offered all that it shares
    with us, so that a slot can show any track of the room.
    """
    accepted: list[Accepted] = []
    for section in offer.sections:
        media = known.get(section.mid)
        if media is not None and media.kind != section.kind:
            raise BadOffer("a section has changed its kind")
        if section.usable and media is None and sum(1 for a in accepted if a.media is not None) < most:
            media = _new_media(section, direction, codec)
        elif section.usable and media is not None and direction == "recvonly":
            media = _recoded(media, section, codec)
        accepted.append(Accepted(section, media if section.usable else None))
    if not known and not any(a.media is not None and wanted(a.section, direction) for a in accepted):
        raise NothingAcceptable("no section with a direction and codec that this server shares")
    return accepted


def wanted(section: Section, direction: Direction) -> bool:
    """Does the offer let media flow in our direction?"""
    return section.direction in (("sendonly", "sendrecv") if direction == "recvonly" else ("recvonly", "sendrecv"))


def _formats(section: Section) -> list[Format]:
    formats: list[Format] = []
    for codec in CODECS["audio" if section.kind == "audio" else "video"]:
        found = _shared(section.description, codec)
        if found is not None and all(found.name != other.name for other in formats):
            formats.append(found)
    return formats


def _recoded(media: Media, section: Section, codec: str) -> Media:
    again = _new_media(section, "recvonly", codec)
    return media if again is None or again.formats[0].name == media.formats[0].name else again


def _new_media(section: Section, direction: Direction, codec: str) -> Media | None:
    kind: Kind = "audio" if section.kind == "audio" else "video"
    if not wanted(section, direction):
        return None
    formats = _formats(section)
    if not formats:
        return None
    if direction == "recvonly":
        formats = [next((found for found in formats if found.name == codec), formats[0])]
    allowed = (MID, AUDIO_LEVEL) if kind == "audio" else (MID, ABS_SEND_TIME)
    headers = section.description.rtp.headerExtensions
    return Media(
        kind, section.mid, tuple(formats), {h.uri: h.id for h in headers if h.uri in allowed and 0 < h.id < 15}
    )


def _shared(description: sdp.MediaDescription, codec: RTCRtpCodecParameters) -> Format | None:
    for offered in description.rtp.codecs:
        try:
            compatible = offered.name.lower() != "rtx" and is_codec_compatible(offered, codec)
        except (ValueError, TypeError) as error:
            raise BadOffer("the parameters of a codec cannot be read") from error
        if compatible and offered.payloadType is not None and offered.payloadType < 128:
            mine = copy.deepcopy(offered)
            mine.rtcpFeedback = [feedback for feedback in _FEEDBACK if feedback in offered.rtcpFeedback]
            if mine.name.lower() == "opus":
                mine.parameters["useinbandfec"] = mine.parameters["usedtx"] = 1
                if _IS_LIBWEBRTC in offered.rtcpFeedback and _NACK not in mine.rtcpFeedback:
                    mine.rtcpFeedback.append(_NACK)
            rtx = (c for c in description.rtp.codecs if c.name.lower() == "rtx")
            repair = next((c for c in rtx if c.parameters.get("apt") == offered.payloadType), None)
            return Format(mine, copy.deepcopy(repair))
    return None


def commit(accepted: Iterable[Accepted], direction: Direction) -> None:
    """Take over what the offer says of each section."""
    for item in accepted:
        if item.media is None:
            continue
        media, description = item.media, item.section.description
        media.active = wanted(item.section, direction)
        media.offered = frozenset(found.name for found in _formats(item.section))
        if direction == "recvonly" and description.ssrc:
            media.remote_ssrc, media.remote_rtx_ssrc = description.ssrc[0].ssrc, None
            pair = next((g.items for g in description.ssrc_group if g.semantic == "FID" and len(g.items) == 2), None)
            if pair is not None:
                media.remote_ssrc, media.remote_rtx_ssrc = int(pair[0]), int(pair[1])


@dataclass
class Local:
    """What the server says of itself in an answer."""

    credentials: Credentials
    candidates: list[RTCIceCandidate]
    fingerprints: list[RTCDtlsFingerprint]
    role: Role
    cname: str
    session_id: int
    version: int


def write_answer(accepted: list[Accepted], direction: Direction, local: Local) -> str:
    answer = sdp.SessionDescription()
    answer.origin = f"- {local.session_id} {local.version} IN IP4 0.0.0.0"
    answer.type = "answer"
    answer.msid_semantic.append(sdp.GroupDescription("WMS", ["*"]))
    bundle = sdp.GroupDescription("BUNDLE", [])
    ice = RTCIceParameters(local.credentials.ufrag, local.credentials.password, iceLite=True)
    for item in accepted:
        if item.media is None:
            answer.media.append(_refusal(item.section, ice))
        else:
            bundle.items.append(item.media.mid)
            answer.media.append(_section(item.media, item.section.description.profile, direction, local, ice))
    if bundle.items:
        answer.group.append(bundle)
    return str(answer)


def _refusal(section: Section, ice: RTCIceParameters) -> sdp.MediaDescription:
    offered = section.description
    refusal = sdp.MediaDescription(section.kind, 0, offered.profile, offered.fmt)
    codecs = offered.rtp.codecs if section.kind in ("audio", "video") else []
    refusal.rtp = RTCRtpParameters(codecs=codecs, muxId=section.mid)
    refusal.ice, refusal.direction = ice, "inactive"
    return refusal


def _section(
    media: Media, profile: str, direction: Direction, local: Local, ice: RTCIceParameters
) -> sdp.MediaDescription:
    codecs = [c for f in media.formats for c in (f.codec, f.rtx) if c is not None]
    out = sdp.MediaDescription(media.kind, local.candidates[0].port, profile, [c.payloadType for c in codecs])
    out.host = local.candidates[0].ip
    out.direction = direction if media.active else "inactive"
    extensions = [RTCRtpHeaderExtensionParameters(id=number, uri=uri) for uri, number in media.extensions.items()]
    out.rtp = RTCRtpParameters(codecs=codecs, headerExtensions=extensions, muxId=media.mid)
    out.rtcp_host, out.rtcp_port, out.rtcp_mux = "0.0.0.0", 9, True  # noqa: S104
    out.ice, out.ice_candidates, out.ice_candidates_complete = ice, local.candidates, True
    out.dtls = RTCDtlsParameters(fingerprints=local.fingerprints, role=local.role)
    if direction == "sendonly" and media.active:
        out.msid = f"{media.stream} {media.stream}-{media.mid}"
        out.ssrc = [sdp.SsrcDescription(media.ssrc, cname=local.cname)]
        if any(f.rtx is not None for f in media.formats):
            out.ssrc.append(sdp.SsrcDescription(media.rtx_ssrc, cname=local.cname))
            out.ssrc_group = [sdp.GroupDescription("FID", [media.ssrc, media.rtx_ssrc])]
    return out
