"""What the room is shown of a line, and which speech is written down."""

from __future__ import annotations

import pytest

from signaling.commands import LinkReport
from signaling.events import TalkMeasured
from signaling.links import LONGEST_SPAN, PAUSE, STARVED_AFTER, LinkWatch
from signaling.media.quality import LinkQuality
from signaling.player import sections_of, teaching_side
from signaling.room_state import Participant, Track
from signaling.wire import RoomState


def who(muted: bool = False, presence: str = "connected") -> Participant:
    return Participant(
        id="p",
        role="endpoint",
        unit="u",
        unit_name="u",
        name="n",
        muted=muted,
        presence=presence,  # type: ignore[arg-type]
    )


def quality(**fields: object) -> LinkQuality:
    usual = {"connected": True, "publish_bitrate": 300_000, "publish_frames": 15, "audio_level": 127}
    return LinkQuality(**usual | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measured", "report", "state"),
    [
        (quality(), None, "connected"),
        (quality(publish_loss=0.08), None, "weak"),
        (quality(subscribe_loss=0.08), None, "weak"),
        (quality(publish_rtt=0.9), None, "weak"),
        (quality(connected=False), None, "weak"),
        (quality(), LinkReport(lost=0.2), "weak"),
        (None, None, "connected"),
        (None, LinkReport(lost=0.2), "weak"),
    ],
)
def test_state_of_a_line(measured: LinkQuality | None, report: LinkReport | None, state: RoomState) -> None:
    assert LinkWatch().link(who(), measured, report, video=False, now=0.0).state == state


@pytest.mark.parametrize("presence", ["reconnecting", "offline"])
def test_without_a_socket_the_presence_is_the_state(presence: str) -> None:
    assert LinkWatch().link(who(presence=presence), quality(), None, video=True, now=0.0).state == presence


def test_sound_alone_shows_after_some_seconds_without_video() -> None:
    watch = LinkWatch()
    starved = quality(publish_frames=0)
    states = [watch.link(who(), starved, None, video=True, now=now).state for now in (0.0, 2.0, STARVED_AFTER)]
    assert states == ["connected", "connected", "audio_only"]
    assert watch.link(who(), quality(), None, video=True, now=6.0).state == "connected"
    assert watch.link(who(), starved, None, video=True, now=7.0).state == "connected"


def test_line_that_carries_no_picture_is_told_from_a_camera_that_sends_none() -> None:
    watch = LinkWatch()
    links = [
        watch.link(who(), quality(publish_frames=0, up_still=still), None, video=True, now=9.0)
        for still in (False, True)
    ]
    assert [link.up_still for link in links] == [False, True]


def test_covered_lens_is_no_sound_alone() -> None:
    """A dark picture takes as many bits as sound."""
    watch = LinkWatch()
    dark = quality(publish_bitrate=30_000, publish_frames=10)
    states = {watch.link(who(), dark, None, video=True, now=now).state for now in (0.0, 5.0, 60.0)}
    assert states == {"connected"}


def test_speech_is_one_span_until_a_pause() -> None:
    watch = LinkWatch()
    samples = [(0.0, 30), (0.25, 40), (0.5, 127), (1.0, 20), (1.5, 127), (1.0 + PAUSE, 127)]
    talks = [watch.hear(who(), quality(audio_level=level), now) for now, level in samples]
    assert talks == [None] * 5 + [TalkMeasured(participant="p", since=0.0, seconds=1.0)]


def test_long_speech_is_written_in_pieces_and_the_rest_at_the_end() -> None:
    watch = LinkWatch()
    talks = [watch.hear(who(), quality(audio_level=30), now / 4) for now in range(int(LONGEST_SPAN * 4) + 8)]
    assert [talk for talk in talks if talk] == [TalkMeasured(participant="p", since=0.0, seconds=LONGEST_SPAN)]
    assert watch.silence("p") == TalkMeasured(participant="p", since=LONGEST_SPAN, seconds=1.75)


def test_muted_microphone_does_not_speak() -> None:
    watch = LinkWatch()
    watch.hear(who(muted=True), quality(audio_level=10), 0.0)
    link = watch.link(who(muted=True), quality(audio_level=10), None, video=False, now=0.0)
    assert (link.speaking, link.level) == (False, 127)


OFFER = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"


def test_player_is_shown_the_teaching_side() -> None:
    tracks = [
        Track(id="pupils", participant="host", kind="video", source="pupils"),
        Track(id="teacher", participant="host", kind="video", source="teacher"),
        Track(id="mic", participant="host", kind="audio", source="mic"),
        Track(id="other", participant="room", kind="audio", source="mic"),
    ]
    sections = sections_of(OFFER)
    assert sections == (("0", "audio"), ("1", "video"))
    assert teaching_side(sections, tracks, {"host": "host", "room": "endpoint"}) == {"0": "mic", "1": "teacher"}


def test_encoder_goes_before_the_page_of_the_host() -> None:
    tracks = [
        Track(id="page", participant="host", kind="video", source="teacher"),
        Track(id="encoder", participant="e", kind="video", source="teacher"),
    ]
    assert teaching_side((("1", "video"),), tracks, {"host": "host", "e": "encoder"}) == {"1": "encoder"}
