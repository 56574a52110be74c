"""This module owns where packets enter a recording: one tap per track, each call one put into the recorder's queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from recordings.view_writer import ViewWriter


class Tap(Protocol):
    """Takes the packets of one track, in any order: `sequence` is extended, `timestamp` as in the RTP header, `arrival`
    in seconds of the recorder's clock, `payload` without padding."""

    def packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None: ...

    def sender_report(self, ntp: int, rtp: int, arrival: float) -> None:
        """A sender report of the track: its 64-bit NTP time and its RTP time stamp."""

    def closed(self) -> None:
        """The track has ended."""


class Queue(Protocol):
    """The recorder's queue: a packet may be refused when it is full, an order never is."""

    def offer(self, work: Callable[..., object], *arguments: object) -> None: ...

    def order(self, work: Callable[..., object], *arguments: object) -> None: ...


class DeafTap:
    """The tap of a track that must not, or cannot, be recorded."""

    def packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None:
        return

    def sender_report(self, ntp: int, rtp: int, arrival: float) -> None:
        return

    def closed(self) -> None:
        return


class VideoTap:
    """A camera's tap. Payloads are copied: the caller may reuse its buffer."""

    def __init__(self, queue: Queue, view: ViewWriter) -> None:
        self._queue = queue
        self._view = view

    def packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None:
        self._queue.offer(self._view.video, sequence, timestamp, bool(marker), bytes(payload), arrival)

    def sender_report(self, ntp: int, rtp: int, arrival: float) -> None:
        self._queue.offer(self._view.report, "video", ntp, rtp, arrival)

    def closed(self) -> None:
        self._queue.order(self._view.finish, "video")


class AudioTap:
    """A microphone's tap. Payloads are copied: the caller may reuse its buffer."""

    def __init__(self, queue: Queue, view: ViewWriter) -> None:
        self._queue = queue
        self._view = view

    def packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None:
        self._queue.offer(self._view.audio, sequence, timestamp, bytes(payload), arrival)

    def sender_report(self, ntp: int, rtp: int, arrival: float) -> None:
        self._queue.offer(self._view.report, "audio", ntp, rtp, arrival)

    def closed(self) -> None:
        self._queue.order(self._view.finish, "audio")
