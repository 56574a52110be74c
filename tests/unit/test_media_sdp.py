"""Offers that are read, refused and answered."""

from __future__ import annotations

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, sdp
from aiortc.rtcdtlstransport import RTCDtlsFingerprint
from aiortc.rtcicetransport import RTCIceCandidate
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.errors import BadOffer, MediaError, NothingAcceptable
from signaling.media.ice import Credentials
from signaling.media.negotiation import (
    LARGEST_OFFER,
    MOST_SECTIONS,
    Direction,
    Local,
    Media,
    accept,
    commit,
    parse_offer,
    write_answer,
)

HEAD = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE {mids}
a=msid-semantic: WMS
"""
TRANSPORT = """c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
a=mid:{mid}
a={direction}
a=rtcp-mux
"""
FINGERPRINT = ":".join(["AB"] * 32)
H264 = """a=rtpmap:102 H264/90000
a=rtcp-fb:102 goog-remb
a=rtcp-fb:102 transport-cc
a=rtcp-fb:102 ccm fir
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
"""
VP8 = "a=rtpmap:96 VP8/90000\na=rtcp-fb:96 nack\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n"
OPUS = "a=rtpmap:111 opus/48000/2\na=fmtp:111 minptime=10;useinbandfec=0\na=rtpmap:0 PCMU/8000\n"
EXTENSIONS = """a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:5 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
"""


def section(mid: str, kind: str = "video", *, direction: str = "sendonly", body: str = "", port: int = 9) -> str:
    formats = "111 0" if kind == "audio" else "96 97 102 103"
    if not body:
        body = OPUS if kind == "audio" else VP8 + H264.format(mode=1, profile="42e01f")
    transport = TRANSPORT.format(mid=mid, direction=direction, fingerprint=FINGERPRINT)
    return f"m={kind} {port} UDP/TLS/RTP/SAVPF {formats}\n{transport}{EXTENSIONS}{body}"


def offer(*sections: str, mids: str = "0 1 2 3") -> str:
    return HEAD.format(mids=mids) + "".join(sections)


LOCAL = Local(
    Credentials("ufragufr", "p" * 24),
    [RTCIceCandidate(1, "1", "127.0.0.1", 5000, 1, "udp", "host")],
    [RTCDtlsFingerprint("sha-256", FINGERPRINT)],
    "server",
    "name",
    7,
    1,
)


def answer(
    text: str, direction: Direction, known: dict[str, Media] | None = None, codec: str = ""
) -> sdp.SessionDescription:
    accepted = accept(parse_offer(text), direction, known or {}, 64, codec)
    commit(accepted, direction)
    if known is not None:
        known.update({item.media.mid: item.media for item in accepted if item.media is not None})
    return sdp.SessionDescription.parse(write_answer(accepted, direction, LOCAL))


def codecs(media: sdp.MediaDescription) -> list[str]:
    return [f"{codec.name} {codec.payloadType}" for codec in media.rtp.codecs]


def test_a_publisher_is_answered_with_h264_for_the_recording() -> None:
    found = answer(offer(section("0", "audio"), section("1")), "recvonly")
    assert [codecs(media) for media in found.media] == [["opus 111"], ["H264 102", "rtx 103"]]
    assert found.media[0].rtp.codecs[0].parameters["useinbandfec"] == 1
    feedback = [(f.type, f.parameter) for f in found.media[1].rtp.codecs[0].rtcpFeedback]
    assert feedback == [("nack", None), ("nack", "pli"), ("ccm", "fir"), ("goog-remb", None)]
    assert [[header.id for header in media.rtp.headerExtensions] for media in found.media] == [[1, 4], [4]]
    assert [media.direction for media in found.media] == ["recvonly", "recvonly"]
    assert found.media[0].ice is not None
    assert found.media[0].ice.iceLite
    assert [group.items for group in found.group] == [["0", "1"]]


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        ([], []),
        (["nack"], [("nack", None)]),
        (["transport-cc"], [("nack", None)]),
        (["transport-cc", "nack"], [("nack", None)]),
    ],
)
@pytest.mark.parametrize("direction", ["recvonly", "sendonly"])
def test_sound_is_sent_again_where_the_other_side_can(
    offered: list[str], answered: list[tuple[str, None]], direction: Direction
) -> None:
    lines = "".join(f"a=rtcp-fb:111 {feedback}\n" for feedback in offered)
    theirs = "sendonly" if direction == "recvonly" else "recvonly"
    known: dict[str, Media] = {}
    found = answer(offer(section("0", "audio", direction=theirs, body=OPUS + lines)), direction, known)
    assert [(f.type, f.parameter) for f in found.media[0].rtp.codecs[0].rtcpFeedback] == answered
    assert known["0"].formats[0].resends == bool(answered)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (VP8 + H264.format(mode=1, profile="42001f"), ["H264 102", "rtx 103"]),
        (VP8 + H264.format(mode=0, profile="42e01f"), ["VP8 96", "rtx 97"]),
        (VP8 + H264.format(mode=1, profile="640c1f"), ["VP8 96", "rtx 97"]),
        (VP8, ["VP8 96", "rtx 97"]),
    ],
)
def test_vp8_is_only_the_fallback(body: str, expected: list[str]) -> None:
    assert codecs(answer(offer(section("0", body=body)), "recvonly").media[0]) == expected


def test_a_publisher_is_answered_with_the_codec_of_the_lesson_where_it_offers_that() -> None:
    offered = offer(section("0"), section("1", body=H264.format(mode=1, profile="42e01f")))
    found = answer(offered, "recvonly", codec="vp8")
    assert [codecs(media) for media in found.media] == [["VP8 96", "rtx 97"], ["H264 102", "rtx 103"]]


def test_another_codec_in_a_later_offer_is_another_stream_of_the_same_section() -> None:
    known: dict[str, Media] = {}
    text = offer(section("0", "audio"), section("1"), section("2", body=H264.format(mode=1, profile="42e01f")))
    answer(text, "recvonly", known)
    first = dict(known)
    assert [known[mid].offered for mid in "012"] == [{"opus"}, {"h264", "vp8"}, {"h264"}]
    answer(text, "recvonly", known)
    assert all(known[mid] is first[mid] for mid in "012")
    found = answer(text, "recvonly", known, "vp8")
    assert [codecs(media)[0] for media in found.media] == ["opus 111", "VP8 96", "H264 102"]
    assert [known[mid] is first[mid] for mid in "012"] == [True, False, True]
    # what rests is changed when it is sent again
    resting = offer(section("0", "audio"), section("1", direction="inactive"), section("2"))
    second = known["1"]
    assert [codecs(media)[0] for media in answer(resting, "recvonly", known).media] == [
        "opus 111",
        "VP8 96",
        "H264 102",
    ]
    assert known["1"] is second
    assert [codecs(media)[0] for media in answer(text, "recvonly", known).media] == ["opus 111", "H264 102", "H264 102"]


def test_a_subscribers_section_stays_as_it_is() -> None:
    known: dict[str, Media] = {}
    text = offer(section("0", direction="recvonly"))
    answer(text, "sendonly", known)
    first = known["0"]
    answer(text, "sendonly", known, "vp8")
    assert known["0"] is first


def test_a_subscriber_is_offered_every_shared_codec() -> None:
    found = answer(offer(section("0", direction="recvonly")), "sendonly").media[0]
    assert codecs(found) == ["H264 102", "rtx 103", "VP8 96", "rtx 97"]
    assert found.direction == "sendonly"
    assert len(found.ssrc) == 2


def test_what_cannot_be_used_is_refused_section_by_section() -> None:
    text = offer(
        section("0", "audio"),
        section("1", direction="recvonly"),
        section("2", port=0),
        section("3", body="a=rtpmap:96 VP9/90000\n"),
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:4\na=sctp-port:5000\n",
        mids="0 1 2 3 4",
    )
    found = answer(text, "recvonly")
    assert [media.port for media in found.media] == [5000, 0, 0, 0, 0]
    assert [group.items for group in found.group] == [["0"]]


def test_bundle_only_sections_count_although_their_port_is_zero() -> None:
    text = offer(section("0", "audio"), section("1", port=0) + "a=bundle-only\n")
    assert [media.port for media in answer(text, "recvonly").media] == [5000, 5000]


def test_a_renegotiation_keeps_what_was_agreed() -> None:
    known: dict[str, Media] = {}
    first = answer(offer(section("0", direction="recvonly")), "sendonly", known)
    again = answer(
        offer(section("0", direction="recvonly"), section("1", "audio", direction="recvonly")), "sendonly", known
    )
    assert again.media[0].ssrc == first.media[0].ssrc
    assert again.media[1].direction == "sendonly"
    paused = answer(
        offer(section("0", direction="inactive"), section("1", "audio", direction="recvonly")), "sendonly", known
    )
    assert [media.direction for media in paused.media] == ["inactive", "sendonly"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=0",
        "hello",
        HEAD.format(mids="0"),
        offer(section("0")).replace("a=ice-pwd:0123456789012345678901\n", ""),
        offer(section("0")).replace("a=ice-ufrag:abcd", "a=ice-ufrag:a b"),
        offer(section("0")).replace("a=ice-ufrag:abcd", "a=ice-ufrag:abc"),
        offer(section("0")).replace(f"a=fingerprint:sha-256 {FINGERPRINT}\n", ""),
        offer(section("0")).replace("sha-256", "md5"),
        offer(section("0"), section("0")),
        offer(section("0" * 17), mids="0" * 17),
        offer(section("a(b"), mids="a(b"),
        offer(section("0")).replace("m=video 9", "m=video nine"),
        offer(section("0")).replace("102 103", "102 103 1234"),
        offer(section("0")).replace("a=setup:actpass", "a=setup:sideways"),
        offer(section("0")) + "x" * LARGEST_OFFER,
        offer(*[section(str(number)) for number in range(MOST_SECTIONS + 1)]),
    ],
)
def test_bad_offers_are_refused_with_their_code(text: str) -> None:
    with pytest.raises(BadOffer) as refused:
        answer(text, "recvonly")
    assert refused.value.code == "bad_offer"


@pytest.mark.parametrize(
    "text",
    [
        offer(section("0", direction="recvonly")),
        offer(section("0", body="a=rtpmap:96 VP9/90000\n")),
        offer(section("0", port=0)),
        offer(section("0").replace("a=rtcp-mux\n", "")),
        offer(section("0").replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")),
    ],
)
def test_offers_without_anything_in_common_are_refused_with_their_code(text: str) -> None:
    with pytest.raises(NothingAcceptable) as refused:
        answer(text, "recvonly")
    assert refused.value.code == "nothing_acceptable"


def test_a_section_cannot_change_its_kind() -> None:
    known: dict[str, Media] = {}
    answer(offer(section("0")), "recvonly", known)
    with pytest.raises(BadOffer):
        answer(offer(section("0", "audio")), "recvonly", known)


LINES = offer(section("0", "audio"), section("1")).splitlines()
DAMAGE = st.lists(
    st.tuples(
        st.integers(0, len(LINES) - 1), st.sampled_from(["drop", "twice", "cut", "text", "swap"]), st.text(max_size=8)
    ),
    min_size=1,
    max_size=4,
)


@given(DAMAGE, st.sampled_from(["recvonly", "sendonly"]))
def test_damaged_offers_are_answered_or_refused(damage: list[tuple[int, str, str]], direction: Direction) -> None:
    lines = list(LINES)
    for at, how, text in damage:
        at %= len(lines)
        line = lines[at]
        if how == "drop":
            lines[at] = ""
        elif how == "twice":
            lines.insert(at, line)
        elif how == "cut":
            lines[at] = line[: len(line) // 2]
        elif how == "text":
            lines[at] = line[:-1] + text
        else:
            other = (at * 7 + 3) % len(lines)
            lines[at], lines[other] = lines[other], lines[at]
    try:
        found = answer("\n".join(lines) + "\n", direction)
    except MediaError:
        return
    assert all(media.direction in (direction, "inactive") for media in found.media)


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(MediaError):
        parse_offer(text)


async def test_aiortc_and_the_answer_agree() -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTransceiver("audio", "recvonly")
    pc.addTransceiver("video", "recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    found = answer(pc.localDescription.sdp, "sendonly")
    assert [media.direction for media in found.media] == ["sendonly", "sendonly"]
    await pc.close()
