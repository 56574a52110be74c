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
MOST_SEGMENTS = 40  # of one message: the kernel takes 64, and 64 KB
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
    """`count` packet buffers. view: all of them as one writable buffer, slot i begins at i * SLOT; octets: the same as
    a memoryview, of which slices cost less; pointers: the same for libsrtp; sizes, targets: what a slot holds and for
    whom, to be set before `send`."""

    def __init__(self, count: int, family: int) -> None:
        self.count = count
        self.segments = _has_segmentation(family)
        self._memory = srtp_ffi.new("char[]", count * SLOT)
        self.view: Any = srtp_ffi.buffer(self._memory)
        self.octets = memoryview(self.view)
        self.pointers: list[Any] = [self._memory + i * SLOT for i in range(count)]
        self.length: Any = srtp_ffi.new("int *")  # in and out argument of libsrtp, for whichever slot it works on
        self.targets = [Target()] * count
        self._iov = linux_ffi.new("struct iovec[]", count)
        self._iov_at = [self._iov + i for i in range(count)]
        self.sizes = memoryview(linux_ffi.buffer(self._iov)).cast("B").cast("L")[1::2]  # every iov_len
        self._messages = linux_ffi.new("struct mmsghdr[]", count)
        self._headers = [self._messages[i].msg_hdr for i in range(count)]
        self._controls = linux_ffi.new("char[]", count * _CONTROL)
        self._segment_sizes = [linux_ffi.cast("uint16_t *", self._controls + i * _CONTROL + 16) for i in range(count)]
        head = (18).to_bytes(8, "little") + socket.IPPROTO_UDP.to_bytes(4, "little") + SEGMENT.to_bytes(4, "little")
        for i, header in enumerate(self._headers):
            self._iov[i].iov_base = foreign(self.pointers[i])
            header.msg_namelen = 16 if family == socket.AF_INET else 28
            header.msg_control = linux_ffi.cast("void *", self._controls + i * _CONTROL)
            linux_ffi.memmove(self._controls + i * _CONTROL, head, 16)

    def send(self, fd: int, count: int) -> tuple[int, int, int]:
        """Send the first `count` slots: (datagrams sent, refused by the kernel, calls)."""
        runs = self._runs(count)
        self._lay_out(runs)
        refused = calls = start = 0
        while start < len(runs):
            start += self._send(fd, start, len(runs) - start)
            calls += 1
            if start == len(runs):
                break
            # The first of the rest is refused (buffer full, unreachable, or not to be cut apart on this path): the
            # others still go, and its datagrams one by one where that may help.
            first, size = runs[start]
            if size == 1 or linux_ffi.errno not in (errno.EIO, errno.EINVAL, errno.EMSGSIZE):
                refused += size
                start += 1
                continue
            if linux_ffi.errno == errno.EIO:
                self.segments = False
            runs, start = [(slot, 1) for slot in range(first, count)], 0
            self._lay_out(runs)
        return count - refused, refused, calls

    def _runs(self, count: int) -> list[tuple[int, int]]:
        """(first slot, slots) of each message: neighbours with one address and one size, of which the last may be
        shorter."""
        runs: list[tuple[int, int]] = []
        sizes, targets, most = self.sizes, self.targets, MOST_SEGMENTS if self.segments else 1
        first, target, open_size = 0, targets[0], sizes[0]
        for slot in range(1, count):
            size = sizes[slot]
            if targets[slot] is not target or size > open_size or slot - first >= most:
                runs.append((first, slot - first))
                first, target, open_size = slot, targets[slot], size
            elif size < open_size:
                open_size = 0
        runs.append((first, count - first))
        return runs

    def _lay_out(self, runs: list[tuple[int, int]]) -> None:
        """Tell the kernel's structures about the runs."""
        sizes, targets, iov_at = self.sizes, self.targets, self._iov_at
        for number, (first, size) in enumerate(runs):
            header = self._headers[number]
            header.msg_name = targets[first].name
            header.msg_iov = iov_at[first]
            header.msg_iovlen = size
            header.msg_controllen = _CONTROL if size > 1 else 0
            if size > 1:
                self._segment_sizes[number][0] = sizes[first]

    def _send(self, fd: int, start: int, count: int) -> int:
        return max(0, int(linux.sendmmsg(fd, self._messages + start, count, socket.MSG_DONTWAIT)))


def _has_segmentation(family: int) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.IPPROTO_UDP, SEGMENT, 0)
        except OSError:
            return False
    return True
