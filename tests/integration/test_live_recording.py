"""What of a live session is written while it goes on: a class that withdraws or agrees, a disk that has no room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from recordings.manifest import read_recording
from recordings.taps import Tap
from server.live_recording import LiveRecording
from signaling.media.hub import TrackInfo
from signaling.room import Room
from signaling.room_state import Participant, Snapshot
from signaling.wire import RecordingState
from tests.live_lessons import plan
from tests.recorded_media import Packet, audio_packets, camera, merged, microphone, play, report, video_packets

PLAN = plan()
MEMBER = PLAN.members[0].unit
ROOM = Participant(id="room", role="endpoint", unit=MEMBER, unit_name=MEMBER, name="教室")
SOUND = TrackInfo(id="t1", session=PLAN.session, participant="room", kind="audio", source="mic", codec="opus")
PICTURE = TrackInfo(id="t2", session=PLAN.session, participant="room", kind="video", source="pupils", codec="h264")


class Rooms:
    """The media plane as recordings see it: whoever taps a track gets its packets."""

    def __init__(self) -> None:
        self.taps: dict[str, Tap] = {}

    def tap(self, track: str, tap: Tap) -> Callable[[], None]:
        assert track not in self.taps
        self.taps[track] = tap
        return lambda: self.taps.pop(track).closed()

    def tracks(self, session: str) -> list[TrackInfo]:
        return [SOUND, PICTURE]

    def request_keyframe(self, track: str) -> None:
        pass


class Lesson:
    """A live lesson with one room, on a clock that the packets move."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.agreed = True
        self.rooms = Rooms()
        self.states: list[str] = []
        self.recording = LiveRecording(
            self.rooms,
            folder,
            consents=lambda plan, participant: self.agreed,
            open_review=self._review,
            clock=lambda: self.now,
            wall_clock=lambda: 1_800_000_000.0 + self.now,
            call_soon=lambda call: call(),
        )
        self.recording.on_state = lambda session, participant, state: self.states.append(state)
        self.folder = folder / PLAN.session

    async def _review(self, plan: object, ended: Snapshot) -> str:
        return "review"

    def begin(self) -> list[RecordingState]:
        self.recording.start(PLAN, self.now)
        return [self.recording.attach(PLAN.session, ROOM, track) for track in (SOUND, PICTURE)]

    async def feed(self, seconds: int) -> None:
        """Send that much to whoever listens, as fast as it is written."""
        packets: Iterable[Packet] = merged(
            video_packets(camera(seconds), self.now),
            audio_packets(microphone(seconds), self.now),
            [report("video", self.now + 0.2, self.now), report("audio", self.now + 0.3, self.now)],
        )
        for packet in packets:
            self.now = max(self.now, packet.arrival)
            tap = self.rooms.taps.get(PICTURE.id if packet.kind == "video" else SOUND.id)
            if tap is None:
                continue
            if packet.ntp:
                tap.sender_report(packet.ntp, packet.timestamp, packet.arrival)
            else:
                tap.packet(packet.sequence, packet.timestamp, packet.marker, packet.payload, packet.arrival)

    async def end(self) -> list[int]:
        """The pictures that were written, segment after segment."""
        await self.recording.stop(PLAN, Room(PLAN.session, PLAN.lesson).snapshot(), "ended")
        recording = await asyncio.to_thread(read_recording, self.folder)
        files = [self.folder / facts.opened.file for facts in recording.segments]
        return [len(play(file).numbers) for file in files]


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return Lesson(tmp_path / "recordings")


async def test_a_class_that_withdraws_in_the_lesson_is_written_no_more(lesson: Lesson) -> None:
    assert lesson.begin() == ["recording", "recording"]
    await lesson.feed(4)
    lesson.agreed = False
    lesson.recording.look()
    assert lesson.rooms.taps == {}
    await lesson.feed(4)
    assert await lesson.end() == [60]
    assert lesson.states[-1] == "no_consent"


async def test_a_class_that_agrees_in_the_lesson_is_written_from_then_on(lesson: Lesson) -> None:
    lesson.agreed = False
    assert lesson.begin() == ["no_consent", "no_consent"]
    await lesson.feed(2)
    lesson.agreed = True
    # a further track alone must not be said to be recorded while nothing of it is
    assert lesson.recording.attach(PLAN.session, ROOM, SOUND) == "no_consent"
    lesson.recording.look()
    await lesson.feed(4)
    assert await lesson.end() == [60]
    assert "recording" in lesson.states


async def test_a_recording_that_cannot_begin_begins_when_it_can(lesson: Lesson) -> None:
    lesson.folder.parent.mkdir()
    lesson.folder.write_bytes(b"in the way")
    assert lesson.begin() == ["paused", "paused"]
    lesson.recording.look()
    await lesson.feed(2)
    lesson.folder.unlink()
    lesson.recording.look()
    await lesson.feed(4)
    assert await lesson.end() == [60]


async def test_a_track_that_ends_is_let_go_and_the_other_goes_on(lesson: Lesson) -> None:
    lesson.begin()
    lesson.recording.detach(PLAN.session, SOUND)
    assert set(lesson.rooms.taps) == {PICTURE.id}
    await lesson.feed(4)
    assert "off" not in lesson.states
    lesson.recording.detach(PLAN.session, PICTURE)
    assert lesson.rooms.taps == {}
    assert lesson.states[-1] == "off"
    lesson.recording.look()
    assert await lesson.end() == [60]
