"""Datagrams on their way out. This module owns sending many of them with few walks through the kernel: one sendmmsg for
a batch, and within it one message for several datagrams of one size to one address, which the kernel cuts apart (UDP
generic segmentation offload, Linux 4.18), most of what a packet costs otherwise.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from signaling.media.packet_slots import (
    CONTROL,
    CONTROL_SIZE,
    IOV,
    IOV_COUNT,
    MESSAGE_WORDS,
    NAME,
    NAME_SIZE,
    SLOT,
    linux,
    linux_ffi,
    place_of,
    srtp_ffi,
    words,
)

SEGMENT = 103  # UDP_SEGMENT
MOST_SEGMENTS = 40  # of one message: the kernel takes 64, and 64 KB
_ADDRESS = 28  # sizeof(struct sockaddr_in6), the larger of the two families
_CONTROL = 24  # CMSG_SPACE(sizeof(uint16_t))
_IOV = 16  # sizeof(struct iovec)


class Target:
    """A socket address in memory of its own, where the kernel may read it at every send."""

    __slots__ = ("_memory", "place")

    def __init__(self) -> None:
        self._memory = srtp_ffi.new("char[]", _ADDRESS)
        self.place = place_of(self._memory)

    def set(self, address: bytes) -> None:
        srtp_ffi.memmove(self._memory, address, len(address))


class Outbox:
    """`count` packet buffers. view: all of them as one writable buffer, slot i begins at i * SLOT; octets: the same as
    a memoryview, of which slices cost less; pointers: the same for libsrtp; used: slots that wait to be sent; sizes:
    what each of them holds.

    The kernel's structures are written as plain memory: naming a field through cffi costs several times as much.
    """

    def __init__(self, count: int, family: int) -> None:
        self.count = count
        self.used = 0
        self.most = MOST_SEGMENTS if _has_segmentation(family) else 1
        """Datagrams of one message."""
        self._memory = srtp_ffi.new("char[]", count * SLOT)
        self.view: Any = srtp_ffi.buffer(self._memory)
        self.octets = memoryview(self.view)
        self.pointers: list[Any] = [self._memory + i * SLOT for i in range(count)]
        self.length: Any = srtp_ffi.new("int *")  # in and out argument of libsrtp, for whichever slot it works on
        self._iov = linux_ffi.new("struct iovec[]", count)
        self._iov_place = place_of(self._iov)
        self.sizes = words(self._iov)[1::2]  # every iov_len
        self._messages = linux_ffi.new("struct mmsghdr[]", count)
        self._message_at = [self._messages + i for i in range(count)]
        self._words = words(self._messages)
        self._controls = linux_ffi.new("char[]", count * _CONTROL)
        self._segment_sizes = memoryview(linux_ffi.buffer(self._controls)).cast("B").cast("H")[8 :: _CONTROL // 2]
        head = (18).to_bytes(8, "little") + socket.IPPROTO_UDP.to_bytes(4, "little") + SEGMENT.to_bytes(4, "little")
        buffers, controls = words(self._iov), place_of(self._controls)
        for i in range(count):
            buffers[2 * i] = place_of(self.pointers[i])
            self._words[i * MESSAGE_WORDS + NAME_SIZE] = 16 if family == socket.AF_INET else 28
            self._words[i * MESSAGE_WORDS + CONTROL] = controls + i * _CONTROL
            linux_ffi.memmove(self._controls + i * _CONTROL, head, 16)
        self._targets: list[Target] = []  # of each message: whoever goes, the kernel may read them until all is sent
        self._room = 0  # the last message takes one more datagram that is no larger

    def add(self, size: int, target: Target) -> None:
        """The slot number `used` holds `size` bytes for `target`."""
        slot = self.used
        self.sizes[slot] = size
        self.used = slot + 1
        if size > self._room or self._targets[-1] is not target:
            self.message(slot, 1, target)
            return
        number = len(self._targets) - 1
        at = number * MESSAGE_WORDS
        first = (self._words[at + IOV] - self._iov_place) // _IOV
        self._words[at + IOV_COUNT] = held = slot + 1 - first
        self._words[at + CONTROL_SIZE] = _CONTROL
        self._segment_sizes[number] = self.sizes[first]
        if size < self._room or held >= self.most:
            self._room = 0

    def message(self, first: int, held: int, target: Target) -> None:
        """`held` slots from `first` on are for `target`: at most `most`, of one size but for the last, which may be
        shorter."""
        number = len(self._targets)
        fields, at = self._words, number * MESSAGE_WORDS
        fields[at + NAME] = target.place
        fields[at + IOV] = self._iov_place + first * _IOV
        fields[at + IOV_COUNT] = held
        if held > 1:
            fields[at + CONTROL_SIZE] = _CONTROL
            self._segment_sizes[number] = self.sizes[first]
            self._room = 0
        else:
            fields[at + CONTROL_SIZE] = 0
            self._room = self.sizes[first] if self.most > 1 else 0
        self._targets.append(target)

    def send(self, fd: int) -> tuple[int, int, int]:
        """Send what waits: (datagrams sent, refused by the kernel, calls)."""
        waiting, messages = self.used, len(self._targets)
        refused = calls = start = 0
        while start < messages:
            start += max(0, linux.sendmmsg(fd, self._message_at[start], messages - start, socket.MSG_DONTWAIT))
            calls += 1
            if start >= messages:
                break
            # The first of the rest is refused (buffer full, unreachable, or not to be cut apart on this path): the
            # others still go, and its datagrams one by one where that may help.
            held = self._words[start * MESSAGE_WORDS + IOV_COUNT]
            if held == 1 or linux_ffi.errno not in (errno.EIO, errno.EINVAL, errno.EMSGSIZE):
                refused += held
                start += 1
                continue
            if linux_ffi.errno == errno.EIO:
                self.most = 1
            messages, start = self._cut_apart(start), 0
        self.used = self._room = 0
        self._targets.clear()
        return waiting - refused, refused, calls

    def _cut_apart(self, start: int) -> int:
        """Make a message of each datagram from message `start` on; how many they are."""
        singles = []
        for number in range(start, len(self._targets)):
            at = number * MESSAGE_WORDS
            first = (self._words[at + IOV] - self._iov_place) // _IOV
            singles += [(slot, self._targets[number]) for slot in range(first, first + self._words[at + IOV_COUNT])]
        self._targets.clear()
        for slot, target in singles:
            self.message(slot, 1, target)
        return len(singles)


def _has_segmentation(family: int) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.IPPROTO_UDP, SEGMENT, 0)
        except OSError:
            return False
    return True
