"""This module owns the recording of one session while it is live: whose tracks are recorded, and on which thread.

A packet costs the event loop one put into a bounded queue; everything else (order, muxing, disk, hashing) happens on
one thread per session. The lesson never waits for its recording: a full queue drops packets, which shows as a gap, and
a full disk pauses the recording with a state that people can see.

`clock` must be the clock of the taps' `arrival`. Callbacks are run through `post`, which a server on asyncio gives as
`loop.call_soon_threadsafe`; without it they are called on the recorder's thread.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from recordings.clock import ParticipantClock
from recordings.errors import UnknownParticipant
from recordings.manifest import Began, Manifest, Participant
from recordings.register import RecordingState, Register, ViewLog
from recordings.repair import mend
from recordings.taps import AudioTap, DeafTap, Tap, VideoTap
from recordings.view_writer import PATIENCE, ViewWriter

logger = logging.getLogger(__name__)

QUEUE = 8192
"""Packets that may wait for the disk: about five seconds of eight rooms."""

RECORDED = ("h264", "vp8")
"""The codecs of pictures that recordings hold as they come."""

RESERVE = 256 << 20
"""Bytes of free disk below which recording pauses, so that the journal and the database go on."""

_TICK = 0.1
_ROOM_INTERVAL = 1.0

Side = Literal["host", "member"]


def _nothing(*_: object) -> None:
    return


def _at_once(call: Callable[[], None]) -> None:
    call()


class _View:
    """A view's writer and the log that names its segments' source."""

    def __init__(self, writer: ViewWriter, log: ViewLog) -> None:
        self.writer = writer
        self.log = log


class _Party:
    """A participant who is recorded: the first view carries the microphone, others are further cameras."""

    def __init__(self, entry: Participant) -> None:
        self.entry = entry
        self.clocks = ParticipantClock()
        self.views: dict[str, _View] = {}


class SessionRecorder:
    """Records the participants of one session into its own folder, from its making until `stop`.

    A folder that already has a manifest (the server died in the lesson) is mended and continued on the same timeline.
    """

    def __init__(
        self,
        session_id: str,
        folder: Path,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        *,
        request_keyframe: Callable[[str], None] = _nothing,
        on_state: Callable[[str, RecordingState], None] = _nothing,
        post: Callable[[Callable[[], None]], object] = _at_once,
        patience: float = PATIENCE,
        reserve: int = RESERVE,
        room: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """Raises JournalLocked when the folder is being recorded into already, JournalUnwritable."""
        self.session_id = session_id
        self.folder = folder
        self.dropped = 0
        """Packets that a full queue refused."""
        self._clock = clock
        self._patience = patience
        self._request_keyframe = request_keyframe
        self._post = post
        manifest = Manifest.open(folder)
        mend(manifest, folder)
        before, now, wall = manifest.recording(), clock(), wall_clock()
        if not before.session:
            manifest.add(Began(session_id, wall))
        self._zero = now - (wall - before.started_at if before.session else 0.0)
        self._register = Register(
            manifest,
            folder,
            self._zero,
            lambda participant, state: post(lambda: on_state(participant, state)),
            lambda: room(folder),
            reserve,
        )
        self._parties: dict[str, _Party] = {}
        self._writers: list[ViewWriter] = []
        self._queue: queue.SimpleQueue[tuple[Callable[..., object], tuple[object, ...]] | None] = queue.SimpleQueue()
        self._room_seen = float("-inf")
        self._playable = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"record {session_id}", daemon=True)
        self._thread.start()

    # called by the server, on one thread

    def start(self, participant: str, side: Side, unit: str, title: str, consent: bool) -> None:
        """Begin to record a participant. Without consent nothing of theirs is written, only that there was none."""
        self.leave(participant)
        entry = Participant(participant, side, unit, title, consent, self._clock() - self._zero)
        self._parties[participant] = _Party(entry)
        self.order(self._add_participant, entry)

    def video_tap(self, participant: str, source: str, codec: str = "h264") -> Tap:
        """Where the packets of one camera go. A codec other than H.264 and VP8 is not recorded, and its state says so.

        Raises UnknownParticipant before `start`.
        """
        party = self._party(participant)
        if not party.entry.consent:
            return DeafTap()
        if codec.lower() not in RECORDED:
            self.order(self._add_participant, msgspec.structs.replace(party.entry, codec=codec.upper()))
            return DeafTap()
        writer = self._view(party, source)
        self.order(partial(writer.begin, codec=codec.lower()), "video")
        return VideoTap(self, writer)

    def audio_tap(self, participant: str) -> Tap:
        """Where the packets of the microphone go. Raises UnknownParticipant before `start`."""
        party = self._party(participant)
        if not party.entry.consent:
            return DeafTap()
        first = next(iter(party.views.values()), None)
        writer = self._view(party, "") if first is None else first.writer
        self.order(writer.begin, "audio")
        return AudioTap(self, writer)

    def leave(self, participant: str) -> None:
        """End the participant's segments. `start` again when they come back: that is a new segment."""
        party = self._parties.pop(participant, None)
        if party is not None:
            self.order(self._close_party, party)

    def stop(self) -> None:
        """End everything; returns when all of it can be played. Blocks: on asyncio call it in a thread."""
        if not self._stopping:
            self._stopping = True
            self._queue.put(None)
        self._playable.wait()

    def join(self) -> None:
        """After `stop`: return when the checksums are in the manifest too and the folder is let go."""
        self._thread.join()

    def offer(self, work: Callable[..., object], *arguments: object) -> None:
        """Queue a packet's work, its arrival last, unless the queue is full."""
        if self._queue.qsize() >= QUEUE:
            self.dropped += 1
        else:
            self._queue.put((work, arguments))

    def order(self, work: Callable[..., object], *arguments: object) -> None:
        """Queue work that must not be lost; it is given the time of this moment last."""
        self._queue.put((work, (*arguments, self._clock())))

    def _party(self, participant: str) -> _Party:
        try:
            return self._parties[participant]
        except KeyError:
            raise UnknownParticipant(participant) from None

    def _view(self, party: _Party, source: str) -> ViewWriter:
        participant = party.entry.participant
        if source not in party.views and "" in party.views:
            # The microphone was tapped first: its view takes the first camera.
            view = party.views[source] = party.views.pop("")
            self.order(self._name_source, view.log, source)
        if source not in party.views:
            log = ViewLog(self._register, participant, source, self._clock)
            writer = ViewWriter(source, party.clocks, log, lambda: self._ask(participant), self._patience)
            party.views[source] = _View(writer, log)
            self.order(self._add_writer, writer)
        return party.views[source].writer

    # on the recorder's thread

    def _run(self) -> None:
        ticked = now = self._clock()
        while True:
            try:
                item = self._queue.get(timeout=_TICK)
            except queue.Empty:
                now = self._clock()
            else:
                if item is None:
                    break
                self._attempt(*item)
                # Behind schedule, time is what the packets say: a slow disk must not look like a stalled camera.
                last = item[1][-1]
                now = self._clock() if self._queue.empty() or not isinstance(last, float) else last
            if now - ticked >= _TICK:
                ticked = now
                self._attempt(self._tick, (now,))
        self._attempt(self._finish, (self._clock(),))
        self._playable.set()
        self._attempt(self._register.seal, ())

    def _attempt(self, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
        try:
            work(*arguments)
        except Exception:
            # A defect in the handling of one track must not end the recording of the others.
            logger.exception("recording of session %s: %r failed", self.session_id, work)

    def _tick(self, now: float) -> None:
        if now - self._room_seen >= _ROOM_INTERVAL:
            self._room_seen = now
            lack = self._register.lack_of_room()
            if lack is not None:
                for writer in self._writers:
                    writer.pause(lack, now)
        for writer in self._writers:
            writer.tick(now)

    def _add_participant(self, entry: Participant, now: float) -> None:
        self._register.participant(entry)

    def _add_writer(self, writer: ViewWriter, now: float) -> None:
        self._writers.append(writer)

    def _name_source(self, log: ViewLog, source: str, now: float) -> None:
        log.source = source

    def _close_party(self, party: _Party, now: float) -> None:
        for view in party.views.values():
            self._writers.remove(view.writer)
            view.writer.close(now)
        if party.entry.consent:
            self._register.tell(party.entry.participant, RecordingState.OFF)

    def _finish(self, now: float) -> None:
        for party in self._parties.values():
            self._attempt(self._close_party, (party, now))
        self._register.finished(now)

    def _ask(self, participant: str) -> None:
        self._post(lambda: self._request_keyframe(participant))
