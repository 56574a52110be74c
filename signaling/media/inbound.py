"""One stream from its publisher. This module owns its numbering, the ring of its last packets, the receiver report, and
handing packets on to slots and taps.
"""

from __future__ import annotations

from collections.abc import Callable

from aiortc.rtp import RtcpReceiverInfo, RtcpSenderInfo, clamp_packets_lost

from signaling.media.forwarding import Report, Slot, StoredPacket, fan_out, make_packet
from signaling.media.keyframes import KEYFRAME, any_packet
from signaling.media.loss import FEWEST, LossForecast
from signaling.media.loudness import Loudness
from signaling.media.negotiation import Media
from signaling.media.requests import Publisher, Requests
from signaling.media.rtp import AUDIO_LEVEL, OVERHEAD
from signaling.media.taps import Taps
from signaling.media.transit import Transit
from signaling.media.udp_port import UdpPort

RING = 1024
FLOWING = 2.0  # seconds without a packet after which a stream is taken for resting


class Inbound:
    __slots__ = (
        "_base",
        "_clock",
        "_closed",
        "_counted",
        "_first",
        "_forecast",
        "_frames_before",
        "_fresh",
        "_is_keyframe",
        "_on_first_packet",
        "_port",
        "_prior",
        "_publisher",
        "_ticked",
        "_video",
        "audio_level",
        "bitrate",
        "clock_rate",
        "codec",
        "duplicates",
        "expected_now",
        "frames",
        "frames_now",
        "highest",
        "highest_at",
        "level_id",
        "loss",
        "loudness",
        "media",
        "muted",
        "octets",
        "outs",
        "payload_type",
        "rate",
        "received",
        "received_now",
        "recovered",
        "recovered_now",
        "report",
        "requests",
        "ring",
        "rtx_payload_type",
        "ssrc",
        "taps",
        "transit",
        "waiting",
    )

    def __init__(
        self,
        publisher: Publisher,
        port: UdpPort,
        media: Media,
        *,
        clock: Callable[[], float],
        tap_keyframe_interval: float,
        on_first_packet: Callable[[], None],
    ) -> None:
        self.media = media
        self.codec = media.formats[0].name
        self.payload_type = media.formats[0].codec.payloadType
        self.rtx_payload_type = media.formats[0].rtx.payloadType if media.formats[0].rtx is not None else None
        self.clock_rate = media.formats[0].codec.clockRate
        self.level_id = media.extensions.get(AUDIO_LEVEL) if media.kind == "audio" else None
        """Of the header extension that says how loud the sound is."""
        self.ssrc = media.remote_ssrc
        self.outs: list[Slot] = []
        self.waiting: list[Slot] = []  # they start at the next keyframe
        self.ring: list[StoredPacket | None] = [None] * RING
        self.highest: int | None = None  # extended sequence number
        self.highest_at = 0.0
        self.muted = False
        self.report: Report | None = None  # the last sender report
        self.audio_level: int | None = None  # RFC 6464: -dBov, 0 is the loudest, 127 silence
        self.loudness = Loudness()
        self.received = self.recovered = self.duplicates = self.octets = 0
        self.frames = self.frames_now = 0  # pictures whose last packet came: ever, and of the last report
        self.loss = 0.0  # fraction of the last report, before repair
        self.bitrate = 0
        self.rate = 0  # bit/s on a subscriber's line, quick to rise and slow to fall
        self.expected_now = self.received_now = self.recovered_now = 0  # packets of the last report
        self.transit = Transit(self.clock_rate)
        self._publisher, self._port, self._clock = publisher, port, clock
        self._on_first_packet: Callable[[], None] | None = on_first_packet
        self._is_keyframe = KEYFRAME.get(self.codec, any_packet)
        self._video = media.kind == "video"
        self._base = 65536
        self._first = 0
        self.requests = Requests(
            publisher,
            media.ssrc,
            self.ssrc,
            clock=clock,
            oldest=lambda: (self.highest or 0) - RING,
            pictures=self._video,
            resends=self._video or media.formats[0].resends,
        )
        self._forecast = LossForecast()
        self._counted = 0
        self._frames_before = 0
        self._prior = (0, 0, 0)
        self._ticked = (clock(), 0)
        self.taps = Taps(self.request_keyframe, tap_keyframe_interval if self._video else None)
        self._fresh: list[StoredPacket] = []  # of this batch, for all of `outs`
        self._closed = False

    def receive(self, rtx: bool, sequence: int, timestamp: int, marker: int, padding: int, payload: bytes) -> None:
        """One decrypted packet. padding: number of bytes at the end of `payload`."""
        now = self._clock()
        late = False
        if self.highest is None:
            if rtx:
                return
            if self._on_first_packet is not None:
                first, self._on_first_packet = self._on_first_packet, None
                first()
            number = self._first = self.highest = self._base + sequence
            self._prior, self.received, self.recovered = (0, 0, 0), 0, 0
        else:
            # rtp.nearest, spelled out
            ahead = ((sequence - self.highest + 32768) & 0xFFFF) - 32768
            number = self.highest + ahead
            stored = self.ring[number % RING]
            if stored is not None and stored.number == number:
                self.duplicates += 1
                return
            if ahead > 0:
                if ahead > 1:
                    self._on_gap(self.highest + 1, number, now)
                self.highest = number
            elif ahead <= -RING or number < self._first:
                return
            else:
                late = True
                if self.requests.arrived(number):
                    self.recovered += 1
        if not late:
            self.highest_at = now
        self.received += 1
        self.octets += len(payload)
        if marker:
            self.frames += 1
        if not rtx and not late:
            self.transit.packet(now - self._port.waited(), timestamp)
        if self.muted:
            self.ring[number % RING] = StoredPacket(number, timestamp, marker, 0, b"")
            if self.taps.listening:
                self.taps.packet(number, timestamp, marker, payload[: len(payload) - padding], now)
            return
        packet = make_packet(StoredPacket, (number, timestamp, marker, 32 if padding else 0, payload))
        self.ring[number % RING] = packet
        if self.waiting and not late and self._is_keyframe(payload):
            self._start_waiting(number, timestamp, payload, now)
        if self.taps.listening:
            self.taps.packet(number, timestamp, marker, payload[: len(payload) - padding], now)
        if late:
            outs = [out for out in self.outs if out.begin <= number]
            fan_out(self._port, outs, (packet,))
            for out in outs:
                out.late(number)
        elif self.outs:
            if not self._fresh:
                self._port.at_end(self._pass_on)
            self._fresh.append(packet)

    def _pass_on(self) -> None:
        """Hand on what came with this batch: at its end, or before those change that it is for."""
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            fan_out(self._port, self.outs, fresh)

    def hear(self, level: int) -> None:
        """A packet says how loud its sound is."""
        self.audio_level = level
        self.loudness.hear(level, self._clock())

    def join(self, slot: Slot) -> None:
        """The slot shows this stream from its next keyframe on."""
        self.waiting.append(slot)
        self.request_keyframe()

    def leave(self, slot: Slot) -> None:
        self._pass_on()
        for slots in (self.waiting, self.outs):
            if slot in slots:
                slots.remove(slot)

    def _start_waiting(self, number: int, timestamp: int, payload: bytes, now: float) -> None:
        self._pass_on()
        waiting, self.waiting = self.waiting, []
        for out in waiting:
            out.start(self, number, timestamp, payload, now)
        self.outs += waiting

    def restart(self, ssrc: int) -> None:
        """The publisher goes on under another SSRC: other numbers, another clock."""
        if self.highest is not None:
            self._base = ((self.highest >> 16) + 2) << 16
            self._suspend_outs(new_clock=True)
            self.highest = None
            self.ring = [None] * RING
            self.report = None
            self.transit.restart()
            self.requests.forget()
            self.request_keyframe()
        self.ssrc = self.requests.ssrc = ssrc

    def mute(self, muted: bool) -> None:
        """While muted nothing is forwarded or kept to be sent again. Taps go on: what a class agreed to have recorded
        is recorded whether or not the other rooms hear it."""
        if muted == self.muted:
            return
        self.muted = self.requests.paused = muted
        if muted:
            self._suspend_outs(new_clock=False)
            self.ring = [None if p is None else p._replace(padding=0, payload=b"") for p in self.ring]
            self.requests.forget()
        else:
            self.request_keyframe()

    def _suspend_outs(self, *, new_clock: bool) -> None:
        self._pass_on()
        outs, self.outs = self.outs, []
        self.waiting += [out for out in outs if out.suspend(new_clock)]

    @property
    def ntp_offset(self) -> int:
        """From the publisher's NTP time to the server's."""
        return self._publisher.ntp_offset

    def _on_gap(self, start: int, end: int, now: float) -> None:
        if end - start > RING // 2:  # the publisher was away: only a keyframe helps
            self.requests.forget()
            self.requests.keyframe()
        else:
            self.requests.missing(start, end, now)

    def request_keyframe(self) -> None:
        self.requests.keyframe()

    # reports

    def on_sender_report(self, info: RtcpSenderInfo) -> None:
        now = self._clock()
        self.report = Report(now, info)
        self.taps.sender_report(info.ntp_timestamp, info.rtp_timestamp, now)

    def receiver_report(self) -> RtcpReceiverInfo | None:
        """Called once a second; it also settles `loss` and `bitrate`."""
        now = self._clock()
        since, octets = self._ticked
        self._ticked = (now, self.octets)
        seconds = max(now - since, 0.001)
        self.bitrate = int((self.octets - octets) * 8 / seconds)
        self.frames_now, self._frames_before = self.frames - self._frames_before, self.frames
        packets, self._counted = self.received - self._counted, self.received
        on_wire = self.bitrate + int(max(0, packets) * OVERHEAD * 8 / seconds)
        self.rate = on_wire if on_wire > self.rate else int(self.rate * 0.7 + on_wire * 0.3)
        self.transit.settle()
        if self.waiting and self.highest is not None:
            self.request_keyframe()
        if self.highest is None or self.ssrc is None:
            return None
        expected = self.highest - self._first + 1
        before, self._prior = self._prior, (expected, self.received, self.recovered)
        self.expected_now, self.received_now = max(0, expected - before[0]), self.received - before[1]
        self.recovered_now = self.recovered - before[2]
        self.loss = self._share(self.received_now - self.recovered_now)
        fraction = self._share(self.received_now) if self._video else self._sound_at_risk()
        lsr = dlsr = 0
        if self.report is not None:
            lsr = self.report.info.ntp_timestamp >> 16 & 0xFFFFFFFF
            dlsr = min(int((now - self.report.arrival) * 65536), 0xFFFFFFFF)
        lost = clamp_packets_lost(expected - self.received)
        highest = self.highest & 0xFFFFFFFF
        return RtcpReceiverInfo(
            self.ssrc, min(int(fraction * 256), 255), lost, highest, int(self.transit.jitter) & 0xFFFFFFFF, lsr, dlsr
        )

    def _share(self, received: int) -> float:
        return max(0, self.expected_now - received) / self.expected_now if self.expected_now else 0.0

    def _sound_at_risk(self) -> float:
        """An Opus encoder repeats as much of each packet in the next one as it is told to be lost: here or, where the
        line is worse, on the way to a listener. (A browser's bitrate follows the number of packets, which is true.) The
        few packets of a silence say nothing."""
        here = self.loss if self.expected_now >= FEWEST else 0.0
        self._forecast.sample(max(here, *(out.losses.loss for out in self.outs), 0.0))
        return self._forecast.loss

    def flowing(self, now: float) -> bool:
        """Does anything of it arrive?"""
        return self.highest is not None and not self.muted and now - self.highest_at < FLOWING

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.requests.close()
        self._pass_on()
        for out in [*self.outs, *self.waiting]:
            out.source_closed(self)
        self.outs, self.waiting = [], []
        self.taps.close()
