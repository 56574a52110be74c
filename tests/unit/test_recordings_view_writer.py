"""A view's packets become segments that play: whole, in sync, and split where the tracks change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recordings.clock import ParticipantClock
from recordings.errors import SegmentUnwritable
from recordings.fragments import index_file
from recordings.segment_log import EndedSegment, NewSegment
from recordings.view_writer import ViewWriter
from tests.recorded_media import (
    FPS,
    Packet,
    audio_packets,
    camera,
    merged,
    microphone,
    play,
    report,
    video_packets,
    vp8_camera,
)


def near(value: Any) -> Any:
    """Equal to within a tenth of a second."""
    return pytest.approx(value, abs=0.1)


class Log:
    """Keeps what the writer tells, and may refuse segments as a full disk does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.new: list[NewSegment] = []
        self.done: list[EndedSegment] = []
        self.pauses: list[str] = []
        self.full = False
        self.unreadables = 0

    def unreadable(self) -> None:
        self.unreadables += 1

    def opened(self, new: NewSegment) -> tuple[str, Path]:
        if self.full:
            raise SegmentUnwritable("segment", "full")
        self.new.append(new)
        return str(len(self.new)), self.path(len(self.new))

    def ended(self, segment: EndedSegment) -> None:
        self.done.append(segment)

    def paused(self, error: SegmentUnwritable) -> None:
        self.pauses.append(error.reason)

    def path(self, number: int) -> Path:
        return self.folder / f"{number}.mp4"


class Desk:
    """A writer at work on a virtual clock."""

    def __init__(self, folder: Path, video: bool = True, audio: bool = True) -> None:
        self.log = Log(folder)
        self.keyframes: list[float] = []
        self.now = 0.0
        self.writer = ViewWriter("teacher", ParticipantClock(), self.log, lambda: self.keyframes.append(self.now))
        if video:
            self.writer.begin("video", 0.0)
        if audio:
            self.writer.begin("audio", 0.0)

    def feed(self, packets: Iterable[Packet], until: float | None = None) -> None:
        for packet in packets:
            self.tick(packet.arrival)
            if packet.ntp:
                self.writer.report(packet.kind, packet.ntp, packet.timestamp, packet.arrival)
            elif packet.kind == "video":
                self.writer.video(packet.sequence, packet.timestamp, packet.marker, packet.payload, packet.arrival)
            else:
                self.writer.audio(packet.sequence, packet.timestamp, packet.payload, packet.arrival)
        if until is not None:
            self.tick(until)

    def tick(self, until: float) -> None:
        while self.now + 0.1 <= until:
            self.now += 0.1
            self.writer.tick(self.now)

    def close(self) -> None:
        self.writer.close(self.now)


def test_a_segment_holds_every_picture_and_sound(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    reports = [report("video", 0.3, 0.0), report("audio", 0.4, 0.0)]
    desk.feed(merged(video_packets(camera(6)), audio_packets(microphone(6)), reports))
    desk.close()
    assert desk.log.new == [NewSegment(near(0.0), True, True, True)]
    played = play(desk.log.path(1))
    assert played.numbers == list(range(6 * FPS))
    assert played.times == pytest.approx([number / FPS for number in range(6 * FPS)], abs=0.001)
    assert len(played.sound) == pytest.approx(300, abs=1)
    assert desk.log.done == [EndedSegment("1", near(6.0), (), True)]


def test_sender_reports_place_sound_and_picture_that_travel_differently(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    reports = [report("video", 0.5, 0.0, 0.35), report("audio", 0.6, 0.0, 0.02)]
    desk.feed(merged(video_packets(camera(6), delay=0.35), audio_packets(microphone(6), delay=0.02), reports))
    desk.close()
    assert [new.synchronised for new in desk.log.new] == [True]
    assert desk.log.new[0].zero == pytest.approx(0.02, abs=0.005)
    played = play(desk.log.path(1))
    # captured at the same moments, so the same times in the file, whatever the journeys took
    assert played.times[10] == pytest.approx(10 / FPS, abs=0.005)
    assert played.sound[50] == pytest.approx(1.0, abs=0.02)


def test_without_reports_arrival_places_the_tracks_after_a_wait(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.feed(merged(video_packets(camera(6), delay=0.2), audio_packets(microphone(6))))
    desk.close()
    assert [new.synchronised for new in desk.log.new] == [False]
    played = play(desk.log.path(1))
    assert played.numbers == list(range(6 * FPS))
    assert played.times[30] == pytest.approx(2.2, abs=0.01)


def test_late_reports_that_contradict_arrival_begin_a_segment_in_sync(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    reports = [report("video", 3.5, 0.0, 0.3), report("audio", 3.6, 0.0)]
    desk.feed(merged(video_packets(camera(8), delay=0.3), audio_packets(microphone(8)), reports))
    desk.close()
    assert [new.synchronised for new in desk.log.new] == [False, True]
    first, second = play(desk.log.path(1)), play(desk.log.path(2))
    assert first.numbers + second.numbers == list(range(8 * FPS))
    assert second.numbers[0] == 60
    zero = desk.log.new[1].zero
    assert zero + second.times[1] == pytest.approx(second.numbers[1] / FPS, abs=0.01)


def test_reordered_packets_lose_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, audio=False)
    packets = list(video_packets(camera(4)))
    for place in range(3, len(packets) - 3, 5):
        packets[place], packets[place + 2] = packets[place + 2], packets[place]
    desk.feed(packets)
    desk.close()
    assert play(desk.log.path(1)).numbers == list(range(4 * FPS))


def test_a_lost_packet_costs_the_pictures_up_to_the_next_keyframe_and_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    pictures = camera(6)
    lost = next(packet for packet in video_packets(pictures) if packet.arrival > 1.0)
    video = (packet for packet in video_packets(pictures) if packet.sequence != lost.sequence)
    desk.feed(merged(video, audio_packets(microphone(6)), [report("video", 0.3, 0), report("audio", 0.3, 0)]))
    desk.close()
    played = play(desk.log.path(1))
    assert played.numbers == [*range(15), *range(30, 90)]
    assert desk.log.done[0].gaps == (near((15 / FPS, 2.0)),)
    assert len(played.sound) == pytest.approx(300, abs=1)
    assert any(1.5 < asked < 2.0 for asked in desk.keyframes)


def test_keyframes_are_asked_for_at_first_and_every_two_seconds(tmp_path: Path) -> None:
    desk = Desk(tmp_path, audio=False)
    desk.feed(video_packets(camera(12, gop=FPS * 60)))
    gaps = [later - earlier for earlier, later in zip(desk.keyframes, desk.keyframes[1:], strict=False)]
    assert desk.keyframes[0] < 2.2
    assert all(0.45 < gap < 2.2 for gap in gaps)


def test_only_sound_is_recorded_after_a_short_wait_for_the_picture(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.feed(audio_packets(microphone(5)))
    desk.close()
    assert desk.log.new == [NewSegment(near(0.0), False, True, False)]
    assert len(play(desk.log.path(1)).sound) == pytest.approx(250, abs=1)


def test_a_picture_that_joins_or_stalls_begins_a_new_segment_and_no_sound_is_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    packets = microphone(20)
    pictures = list(video_packets(camera(6), start=5.0))
    desk.feed(merged(pictures, audio_packets(packets)))
    desk.close()
    assert [(new.video, new.audio) for new in desk.log.new] == [(False, True), (True, True), (False, True)]
    parts = [play(desk.log.path(number)) for number in (1, 2, 3)]
    assert parts[1].numbers == list(range(6 * FPS))
    assert sum(len(part.sound) for part in parts) == pytest.approx(1000, abs=4)
    ends = [new.zero + done.duration for new, done in zip(desk.log.new, desk.log.done, strict=True)]
    assert desk.log.new[1].zero == pytest.approx(5.0, abs=0.05)
    assert ends[0] == pytest.approx(5.0, abs=0.1)
    assert desk.log.new[2].zero == pytest.approx(ends[1], abs=0.1)
    assert ends[2] == pytest.approx(20.0, abs=0.1)


def test_sound_that_joins_begins_a_segment_at_the_next_keyframe_and_none_of_it_is_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.feed(merged(video_packets(camera(12)), audio_packets(microphone(5), start=7.0)))
    desk.close()
    assert [(new.video, new.audio) for new in desk.log.new] == [(True, False), (True, True)]
    assert desk.log.new[1].zero == pytest.approx(7.0, abs=0.05)
    first, second = play(desk.log.path(1)), play(desk.log.path(2))
    assert first.numbers + second.numbers == list(range(12 * FPS))


def test_a_pause_of_the_sound_is_filled_with_silence(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    sound = [packet for packet in audio_packets(microphone(10)) if not 3.0 <= packet.arrival < 7.0]
    desk.feed(merged(video_packets(camera(10)), sound, [report("video", 0.3, 0), report("audio", 0.3, 0)]))
    desk.close()
    assert len(desk.log.new) == 1
    played = play(desk.log.path(1))
    steps = [later - earlier for earlier, later in zip(played.sound, played.sound[1:], strict=False)]
    assert max(steps) < 0.041
    assert played.sound[-1] == pytest.approx(10.0, abs=0.05)
    index = index_file(desk.log.path(1))
    assert max(fragment.duration for fragment in index.fragments) < 1.2


def test_another_picture_size_begins_a_new_segment(tmp_path: Path) -> None:
    desk = Desk(tmp_path, audio=False)
    small = list(video_packets(camera(4)))
    wide = [
        replace(packet, sequence=packet.sequence + len(small), timestamp=(packet.timestamp + 4 * 90_000) % 2**32)
        for packet in video_packets(camera(4, 640, 384), start=4.0)
    ]
    desk.feed([*small, *wide])
    desk.close()
    tracks = [index_file(desk.log.path(number)).tracks[0] for number in (1, 2)]
    assert [(track.width, track.height) for track in tracks] == [(320, 192), (640, 384)]
    assert [len(play(desk.log.path(number)).numbers) for number in (1, 2)] == [60, 60]
    assert desk.log.new[1].zero == pytest.approx(4.0, abs=0.01)


def test_a_sender_whose_numbers_start_anew_goes_on_in_a_new_segment(tmp_path: Path) -> None:
    desk = Desk(tmp_path, audio=False)
    again = video_packets(camera(6), start=4.0, sequence=5, rtp=1_000_000_000)
    desk.feed([*video_packets(camera(4)), *again])
    desk.close()
    assert len(desk.log.new) == 2
    second = play(desk.log.path(2))
    assert second.numbers[-1] == 89
    assert desk.log.new[1].zero + second.times[-1] == pytest.approx(4.0 + 89 / FPS, abs=0.05)


def test_a_track_tapped_anew_begins_a_new_segment(tmp_path: Path) -> None:
    desk = Desk(tmp_path, audio=False)
    desk.feed(video_packets(camera(4)))
    desk.writer.finish("video", 4.0)
    desk.tick(9.0)
    desk.writer.begin("video", 9.0)
    desk.feed(video_packets(camera(4), start=9.0, sequence=77, rtp=12345))
    desk.close()
    assert [new.zero for new in desk.log.new] == pytest.approx([0.0, 9.0], abs=0.01)
    assert [len(play(desk.log.path(number)).numbers) for number in (1, 2)] == [60, 60]


def test_a_full_disk_pauses_and_the_recording_goes_on_when_there_is_room(tmp_path: Path) -> None:
    desk = Desk(tmp_path, audio=False)
    packets = list(video_packets(camera(30)))
    desk.log.full = True
    desk.feed(packet for packet in packets if packet.arrival < 5.0)
    desk.log.full = False
    desk.feed(packet for packet in packets if packet.arrival >= 5.0)
    desk.close()
    assert desk.log.pauses == ["full"]
    assert len(desk.log.new) == 1
    played = play(desk.log.path(1))
    assert played.numbers == list(range(played.numbers[0], 30 * FPS))
    assert 10.0 <= desk.log.new[0].zero <= 14.1


def test_a_segment_in_progress_is_ended_whole_when_the_disk_fills(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.feed(merged(video_packets(camera(4)), audio_packets(microphone(4))))
    desk.writer.pause(SegmentUnwritable("x", "nearly full"), desk.now)
    desk.feed([], until=5.0)
    assert [done.whole for done in desk.log.done] == [True]
    assert desk.log.pauses == ["nearly full"]
    assert len(play(desk.log.path(1)).numbers) == 60


def test_short_takes_are_written_on_close(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.feed(merged(video_packets(camera(3)[:10]), audio_packets(microphone(1)[:30])))
    desk.close()
    assert play(desk.log.path(1)).numbers == list(range(10))


def test_a_picture_that_changes_its_codec_goes_on_in_a_new_segment(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    sounds = list(audio_packets(microphone(12)))
    vp8 = video_packets(vp8_camera(6)[:60], start=4.4, sequence=70_000, rtp=90_000, vp8=True)
    again = video_packets(camera(6)[:52], start=8.5, sequence=90_000, rtp=4_000_000)
    codecs = ("h264", "vp8", "h264")
    for pictures, codec, since, until in zip(
        (video_packets(camera(6)[:60]), vp8, again), codecs, (0.0, 4.0, 8.4), (4.0, 8.4, 12.0), strict=True
    ):
        if since:
            desk.writer.finish("video", desk.now)
            desk.feed([packet for packet in sounds if since <= packet.arrival < since + 0.2])
            desk.writer.begin("video", desk.now, codec)
        begun = since + 0.2 if since else 0.0
        desk.feed(merged(pictures, (packet for packet in sounds if begun <= packet.arrival < until)))
    desk.close()
    with_pictures = [(number, new) for number, new in enumerate(desk.log.new, 1) if new.video]
    assert [new.suffix for _, new in with_pictures] == [".mp4", ".webm", ".mp4"]
    assert [new.zero for _, new in with_pictures] == near([0.0, 4.4, 8.5])
    assert all(done.whole for done in desk.log.done)
    played = [play(desk.log.path(number)) for number, _ in with_pictures]
    assert [one.numbers for one in played] == [list(range(60)), list(range(60)), list(range(52))]
    # nothing of the sound is lost in between
    assert sum(len(play(desk.log.path(number)).sound) for number in range(1, len(desk.log.new) + 1)) >= 590


def test_packets_that_are_no_h264_are_told_and_the_sound_is_recorded(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    strange = [replace(packet, payload=bytes((0x90, 0x80)) + packet.payload) for packet in video_packets(camera(12))]
    desk.feed(merged(strange, audio_packets(microphone(12))))
    desk.close()
    assert desk.log.unreadables == 1
    assert [(new.video, new.audio) for new in desk.log.new] == [(False, True)]
    assert len(play(desk.log.path(1)).sound) == 600
