"""Datagrams on their way out. This module owns sending many of them with few walks through the kernel: one sendmmsg for
a batch, and within it one message for several datagrams of one size to one address, which the kernel cuts apart (UDP
generic segmentation offload, Linux 4.18), most of what a packet costs otherwise.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from signaling.media.packet_slots import SLOT, foreign, linux, linux_ffi, srtp_ffi

SEGMENT = 103  # UDP_SEGMENT
MOST_SEGMENTS = 48  # of one message: the kernel takes 64, and 64 KB
_ADDRESS = 28  # sizeof(struct sockaddr_in6), the larger of the two families
_CONTROL = 24  # CMSG_SPACE(sizeof(uint16_t))


class Target:
    """A socket address in memory of its own, where the kernel may read it at every send."""

    def __init__(self) -> None:
        self._memory = srtp_ffi.new("char[]", _ADDRESS)
        self.name = foreign(self._memory)

    def set(self, address: bytes) -> None:
        srtp_ffi.memmove(self._memory, address, len(address))


class Outbox:
    """`count` packet buffers. view: all of them as one writable buffer, slot i begins at i * SLOT; pointers: the same
    for libsrtp; sizes, targets: what a slot holds and for whom, to be set before `send`."""

    def __init__(self, count: int, family: int) -> None:
        self.count = count
        self.segments = _has_segmentation(family)
        self._memory = srtp_ffi.new("char[]", count * SLOT)
        self.view: Any = srtp_ffi.buffer(self._memory)
        self.pointers: list[Any] = [self._memory + i * SLOT for i in range(count)]
        self.length: Any = srtp_ffi.new("int *")  # in and out argument of libsrtp, for whichever slot it works on
        self.sizes: list[int] = [0] * count
        self.targets: list[Target | None] = [None] * count
        self._places = [foreign(pointer) for pointer in self.pointers]
        self._iov = linux_ffi.new("struct iovec[]", count)
        self._iovs = [self._iov[i] for i in range(count)]
        self._messages = linux_ffi.new("struct mmsghdr[]", count)
        self._headers = [self._messages[i].msg_hdr for i in range(count)]
        self._controls = linux_ffi.new("char[]", count * _CONTROL)
        self._segment_sizes = [linux_ffi.cast("uint16_t *", self._controls + i * _CONTROL + 16) for i in range(count)]
        self._controls_at = [linux_ffi.cast("void *", self._controls + i * _CONTROL) for i in range(count)]
        head = (18).to_bytes(8, "little") + socket.IPPROTO_UDP.to_bytes(4, "little") + SEGMENT.to_bytes(4, "little")
        for i, header in enumerate(self._headers):
            header.msg_namelen = 16 if family == socket.AF_INET else 28
            linux_ffi.memmove(self._controls + i * _CONTROL, head, 16)

    def send(self, fd: int, count: int) -> tuple[int, int, int]:
        """Send the first `count` slots: (datagrams sent, refused by the kernel, calls)."""
        runs = self._runs(count)
        sent = refused = calls = start = 0
        while start < len(runs):
            taken = self._send(fd, start, len(runs) - start)
            calls += 1
            sent += sum(len(run) for run in runs[start : start + taken])
            start += taken
            if taken and start < len(runs):
                continue
            if start == len(runs):
                break
            # The first of the rest is refused (buffer full, unreachable, or not to be cut apart on this path): the
            # others still go, and its datagrams one by one where that may help.
            run, start = runs[start], start + 1
            if len(run) == 1 or linux_ffi.errno not in (errno.EIO, errno.EINVAL, errno.EMSGSIZE):
                refused += len(run)
                continue
            if linux_ffi.errno == errno.EIO:
                self.segments = False
            rest = [slot for later in runs[start:] for slot in later]
            runs = self._lay_out([[slot] for slot in run] + [[slot] for slot in rest])
            start = 0
        return sent, refused, calls

    def _runs(self, count: int) -> list[list[int]]:
        """The slots by address, in their order; each run of equal sizes, of which the last may be shorter, is one
        message."""
        sizes = self.sizes
        by_target: dict[Target | None, list[int]] = {}
        for slot in range(count):
            by_target.setdefault(self.targets[slot], []).append(slot)
        runs: list[list[int]] = []
        for slots in by_target.values():
            run: list[int] = []
            open_size = 0
            for slot in slots:
                size = sizes[slot]
                if size > open_size or len(run) >= MOST_SEGMENTS or not self.segments:
                    run = []
                    runs.append(run)
                    open_size = size
                run.append(slot)
                if size < open_size:
                    open_size = 0
        return self._lay_out(runs)

    def _lay_out(self, runs: list[list[int]]) -> list[list[int]]:
        """Tell the kernel's structures about the runs."""
        at = 0
        sizes, places, iovs = self.sizes, self._places, self._iovs
        for number, run in enumerate(runs):
            header = self._headers[number]
            target = self.targets[run[0]]
            header.msg_name = target.name if target is not None else linux_ffi.NULL
            header.msg_iov = self._iov + at
            header.msg_iovlen = len(run)
            for slot in run:
                iov = iovs[at]
                iov.iov_base, iov.iov_len = places[slot], sizes[slot]
                at += 1
            if len(run) > 1:
                self._segment_sizes[number][0] = sizes[run[0]]
                header.msg_control, header.msg_controllen = self._controls_at[number], _CONTROL
            else:
                header.msg_control, header.msg_controllen = linux_ffi.NULL, 0
        return runs

    def _send(self, fd: int, start: int, count: int) -> int:
        return max(0, int(linux.sendmmsg(fd, self._messages + start, count, socket.MSG_DONTWAIT)))


def _has_segmentation(family: int) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.IPPROTO_UDP, SEGMENT, 0)
        except OSError:
            return False
    return True
