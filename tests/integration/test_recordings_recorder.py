"""A session's recorder on its own thread: consent, states, full disks, killed processes, and what stays on disk."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from recordings.errors import JournalLocked, UnknownParticipant
from recordings.fragments import index_file
from recordings.manifest import read_recording
from recordings.recorder import QUEUE, SessionRecorder
from recordings.register import RecordingState
from recordings.repair import Finding, repair, sessions, verify
from recordings.taps import Tap
from tests.recorded_media import (
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


class Lesson:
    """A recorder with a clock of its own that packets move on."""

    def __init__(
        self, folder: Path, wall: float = 1_800_000_000.0, room: Callable[[Path], int] = lambda _: 1 << 40
    ) -> None:
        self.now = 0.0
        self.wall = wall
        self.states: list[tuple[str, RecordingState]] = []
        self.keyframes: list[str] = []
        self.recorder = SessionRecorder(
            "s1",
            folder,
            lambda: self.now,
            lambda: self.wall + self.now,
            request_keyframe=self.keyframes.append,
            on_state=lambda participant, state: self.states.append((participant, state)),
            room=room,
        )

    def feed(self, packets: Iterable[Packet], video: Tap, audio: Tap) -> None:
        for number, packet in enumerate(packets):
            self.now = max(self.now, packet.arrival)
            tap = video if packet.kind == "video" else audio
            if packet.ntp:
                tap.sender_report(packet.ntp, packet.timestamp, packet.arrival)
            else:
                tap.packet(packet.sequence, packet.timestamp, packet.marker, packet.payload, packet.arrival)
            if number % 500 == 0:
                self.settle()
        self.settle()

    def settle(self) -> None:
        """Wait until the recorder's thread has done everything so far."""
        done = threading.Event()
        self.recorder.order(lambda _: done.set())
        assert done.wait(20)

    def finish(self) -> None:
        self.recorder.stop()
        self.recorder.join()


def _packets(seconds: int, start: float = 0.0) -> Iterable[Packet]:
    return merged(
        video_packets(camera(seconds), start),
        audio_packets(microphone(seconds), start),
        [report("video", start + 0.2, start), report("audio", start + 0.3, start)],
    )


def test_a_participant_is_recorded_played_and_sealed(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    lesson.recorder.start("host", "host", "unit-1", "横河小学", consent=True)
    lesson.feed(_packets(6), lesson.recorder.video_tap("host", "teacher"), lesson.recorder.audio_tap("host"))
    lesson.recorder.stop()
    playable = read_recording(tmp_path / "s1")
    assert [facts.ended is not None for facts in playable.segments] == [True]
    lesson.recorder.join()
    recording = read_recording(tmp_path / "s1")
    (facts,) = recording.segments
    assert (recording.session, recording.started_at, recording.finished_at) == ("s1", 1_800_000_000.0, lesson.now)
    assert (facts.opened.participant, facts.opened.source, facts.opened.video, facts.opened.audio) == (
        "host", "teacher", True, True,
    )  # fmt: skip
    assert facts.opened.started_at == pytest.approx(0.0, abs=0.01)
    assert play(tmp_path / "s1" / facts.opened.file).numbers == list(range(90))
    assert verify(tmp_path / "s1") == []
    assert lesson.states == [("host", RecordingState.RECORDING), ("host", RecordingState.OFF)]
    assert lesson.keyframes
    assert set(lesson.keyframes) == {"host"}


def test_nothing_is_written_without_consent(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    lesson.recorder.start("west", "member", "unit-2", "西河中心学校", consent=False)
    lesson.feed(_packets(6), lesson.recorder.video_tap("west", "pupils"), lesson.recorder.audio_tap("west"))
    lesson.finish()
    assert sorted(path.name for path in (tmp_path / "s1").iterdir()) == ["manifest.journal"]
    recording = read_recording(tmp_path / "s1")
    assert [(entry.participant, entry.consent) for entry in recording.participants] == [("west", False)]
    assert recording.segments == ()
    assert lesson.states == [("west", RecordingState.NO_CONSENT)]


def test_a_second_camera_is_a_view_of_its_own_and_the_microphone_goes_with_the_first(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    lesson.recorder.start("host", "host", "unit-1", "横河小学", consent=True)
    audio = lesson.recorder.audio_tap("host")
    teacher = lesson.recorder.video_tap("host", "teacher")
    pupils = lesson.recorder.video_tap("host", "pupils")
    second = iter(list(video_packets(camera(6))))
    for packet in _packets(6):
        if packet.kind == "video" and not packet.ntp:
            lesson.feed([next(second)], pupils, audio)
        lesson.feed([packet], teacher, audio)
    lesson.finish()
    segments = read_recording(tmp_path / "s1").segments
    assert {(facts.opened.source, facts.opened.audio) for facts in segments} == {("teacher", True), ("pupils", False)}
    for facts in segments:
        assert play(tmp_path / "s1" / facts.opened.file).numbers == list(range(90))


def test_leaving_and_returning_makes_a_new_segment(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    for start in (0.0, 20.0):
        lesson.now = start
        lesson.recorder.start("west", "member", "unit-2", "西河中心学校", consent=True)
        taps = lesson.recorder.video_tap("west", "pupils"), lesson.recorder.audio_tap("west")
        lesson.feed(_packets(4, start), *taps)
        for tap in taps:
            tap.closed()
        lesson.recorder.leave("west")
    with pytest.raises(UnknownParticipant):
        lesson.recorder.video_tap("west", "pupils")
    lesson.finish()
    segments = read_recording(tmp_path / "s1").segments
    assert [facts.opened.started_at for facts in segments] == pytest.approx([0.0, 20.0], abs=0.01)
    assert [len(play(tmp_path / "s1" / facts.opened.file).numbers) for facts in segments] == [60, 60]


def test_an_unsupported_codec_is_told_and_the_sound_recorded(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    lesson.recorder.start("west", "member", "unit-2", "西河中心学校", consent=True)
    taps = lesson.recorder.video_tap("west", "pupils", codec="AV1"), lesson.recorder.audio_tap("west")
    lesson.feed(_packets(6), *taps)
    lesson.finish()
    recording = read_recording(tmp_path / "s1")
    assert [(facts.opened.video, facts.opened.audio) for facts in recording.segments] == [(False, True)]
    assert recording.participants[0].codec == "AV1"
    assert lesson.states[0] == ("west", RecordingState.UNSUPPORTED)


def test_pictures_in_vp8_are_recorded_and_a_change_of_codec_ends_none(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    lesson.recorder.start("west", "member", "unit-2", "西河中心学校", consent=True)
    audio = lesson.recorder.audio_tap("west")
    vp8 = merged(
        video_packets(vp8_camera(6), 6.5, sequence=70_000, rtp=9_000_000, vp8=True),
        (packet for packet in audio_packets(microphone(13)) if packet.arrival >= 6.0),
    )
    for codec, packets in (("h264", _packets(6)), ("vp8", vp8)):
        video = lesson.recorder.video_tap("west", "pupils", codec=codec)
        lesson.feed(packets, video, audio)
        video.closed()
    lesson.finish()
    folder = tmp_path / "s1"
    segments = [facts for facts in read_recording(folder).segments if facts.opened.video]
    assert [facts.opened.file for facts in segments] == ["0001.mp4", f"{segments[1].id}.webm"]
    assert [play(folder / facts.opened.file).numbers for facts in segments] == [list(range(90))] * 2
    assert [index_file(folder / facts.opened.file).mime for facts in segments] == [
        'video/mp4; codecs="avc1.42c00c, opus"',
        'video/webm; codecs="vp8, opus"',
    ]
    assert {state for _, state in lesson.states} == {RecordingState.RECORDING, RecordingState.OFF}
    assert verify(folder) == []
    (folder / "stray.webm").write_bytes(b"")
    assert verify(folder) == [Finding("file_unknown", "stray.webm")]


def test_a_disk_nearly_full_pauses_and_room_resumes(tmp_path: Path) -> None:
    free = {"bytes": 1 << 40}
    lesson = Lesson(tmp_path / "s1", room=lambda _: free["bytes"])
    lesson.recorder.start("host", "host", "unit-1", "横河小学", consent=True)
    taps = lesson.recorder.video_tap("host", "teacher"), lesson.recorder.audio_tap("host")
    packets = list(_packets(40))
    lesson.feed((packet for packet in packets if packet.arrival < 8.0), *taps)
    free["bytes"] = 1 << 20
    lesson.feed((packet for packet in packets if 8.0 <= packet.arrival < 14.0), *taps)
    free["bytes"] = 1 << 40
    lesson.feed((packet for packet in packets if packet.arrival >= 14.0), *taps)
    lesson.finish()
    assert [state for _, state in lesson.states] == [
        RecordingState.RECORDING,
        RecordingState.PAUSED,
        RecordingState.RECORDING,
        RecordingState.OFF,
    ]
    recording = read_recording(tmp_path / "s1")
    assert [pause.participant for pause in recording.pauses] == ["host"]
    first, second = (play(tmp_path / "s1" / facts.opened.file).numbers for facts in recording.segments)
    assert first[-1] >= 118
    assert second == list(range(second[0], 600))
    assert verify(tmp_path / "s1") == []


def test_a_full_queue_drops_packets_and_the_recording_goes_on(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    lesson.recorder.start("host", "host", "unit-1", "横河小学", consent=True)
    video, audio = lesson.recorder.video_tap("host", "teacher"), lesson.recorder.audio_tap("host")
    held = threading.Event()
    lesson.recorder.order(lambda _: held.wait(20))
    for _ in range(QUEUE + 100):
        audio.packet(0, 0, False, b"\xfc\xff\xfe", 0.0)
    assert lesson.recorder.dropped >= 99
    held.set()
    lesson.settle()
    lesson.feed(_packets(6), video, audio)
    lesson.finish()
    assert max(len(play(path).numbers) for path in (tmp_path / "s1").glob("*.mp4")) == 90


def test_one_folder_has_one_recorder(tmp_path: Path) -> None:
    lesson = Lesson(tmp_path / "s1")
    with pytest.raises(JournalLocked):
        Lesson(tmp_path / "s1")
    with pytest.raises(JournalLocked):
        repair(tmp_path / "s1")
    lesson.finish()
    assert repair(tmp_path / "s1") == []


def test_verify_finds_what_was_tampered_with(tmp_path: Path) -> None:
    folder = tmp_path / "s1"
    lesson = Lesson(folder)
    lesson.recorder.start("host", "host", "unit-1", "横河小学", consent=True)
    lesson.feed(_packets(4), lesson.recorder.video_tap("host", "teacher"), lesson.recorder.audio_tap("host"))
    lesson.finish()
    file = folder / "0001.mp4"
    original = file.read_bytes()
    file.write_bytes(original[:-1] + bytes((original[-1] ^ 1,)))
    (folder / "stray.mp4").write_bytes(b"")
    assert [finding.code for finding in verify(folder)] == ["checksum_differs", "file_unknown"]
    file.write_bytes(original[:-1])
    assert [finding.code for finding in verify(folder)] == ["size_differs", "file_unknown"]
    file.unlink()
    assert verify(folder) == [Finding("file_missing", "0001", "0001.mp4"), Finding("file_unknown", "stray.mp4")]
    assert list(sessions(tmp_path)) == [folder]


_CHILD = """
import mmap, struct, sys, time
from pathlib import Path
from recordings.recorder import SessionRecorder
from tests.integration.test_recordings_recorder import _packets
folder, shared = Path(sys.argv[1]), open(sys.argv[2], "r+b")
memory = mmap.mmap(shared.fileno(), 8)
packets = list(_packets(int(sys.argv[3])))
recorder = SessionRecorder("s1", folder, time.monotonic, time.time)
taps = {}
for name in ("host", "west", "east"):
    recorder.start(name, "host" if name == "host" else "member", "unit", name, consent=True)
    taps[name] = {"video": recorder.video_tap(name, "teacher"), "audio": recorder.audio_tap(name)}
began = time.monotonic()
for packet in packets:
    wait = began + packet.arrival - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    for name in taps:
        tap = taps[name][packet.kind]
        if packet.ntp:
            tap.sender_report(packet.ntp, packet.timestamp, began + packet.arrival)
        else:
            tap.packet(packet.sequence, packet.timestamp, packet.marker, packet.payload, began + packet.arrival)
    struct.pack_into("d", memory, 0, packet.arrival)
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", [3.4, 5.93])
def test_a_killed_server_loses_at_most_a_second_and_a_half(tmp_path: Path, moment: float) -> None:
    folder, shared = tmp_path / "s1", tmp_path / "shared"
    shared.write_bytes(bytes(8))
    command = [sys.executable, "-c", _CHILD, str(folder), str(shared), "8"]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 60
    while struct.unpack("d", shared.read_bytes())[0] < moment:
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    (offered,) = struct.unpack("d", shared.read_bytes())
    copies = {path.name: index_file(path) for path in folder.glob("*.mp4")}
    assert len(copies) == 3
    for index in copies.values():
        assert index.duration > offered - 1.5
    assert {finding.code for finding in repair(folder)} == {"segment_unfinished"}
    assert verify(folder) == []
    recording = read_recording(folder)
    for facts in recording.segments:
        played = play(folder / facts.opened.file)
        assert played.numbers == list(range(len(played.numbers)))
        assert len(played.numbers) / 15 > offered - 1.5
    # the server is back: the lesson goes on in the same folder and on the same timeline
    lesson = Lesson(folder, wall=recording.started_at + 30.0)
    lesson.recorder.start("host", "host", "unit-1", "横河小学", consent=True)
    lesson.feed(_packets(4), lesson.recorder.video_tap("host", "teacher"), lesson.recorder.audio_tap("host"))
    lesson.finish()
    continued = read_recording(folder).segments[-1]
    assert continued.id == "0004"
    assert continued.opened.started_at == pytest.approx(30.0, abs=0.01)
    assert verify(folder) == []


@pytest.mark.slow
def test_a_write_error_leaves_everything_before_it_playable(tmp_path: Path) -> None:
    program = _CHILD.replace(
        "recorder = SessionRecorder",
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "states = []\n"
        "recorder = SessionRecorder",
    ).replace(
        "time.monotonic, time.time)",
        "time.monotonic, time.time, on_state=lambda who, state: states.append(str(state)))",
    )
    program = program.replace("began + packet.arrival - time.monotonic()", "0") + (
        "    if packet.sequence % 400 == 0: time.sleep(0.05)\n"
        "recorder.stop(); recorder.join(); print(' '.join(states))\n"
    )
    shared = tmp_path / "shared"
    shared.write_bytes(bytes(8))
    folder = tmp_path / "s1"
    shown = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(shared), "20"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "paused" in shown.stdout.split()
    assert "Traceback" not in shown.stderr
    assert verify(folder) == []
    segments = read_recording(folder).segments
    assert all(facts.ended is not None for facts in segments)
    for facts in segments[:3]:
        played = play(folder / facts.opened.file)
        assert len(played.numbers) >= 45
        assert played.numbers == list(range(len(played.numbers)))
    for facts in segments[3:]:
        play(folder / facts.opened.file)
