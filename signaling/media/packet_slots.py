"""Packet memory shared with the kernel and libsrtp. This module owns both interfaces, and receiving in batches by
recvmmsg (Linux only).

cffi in ABI mode: no compiler is needed. What cffi hands out has no types, so `Any` ends here. Private name used:
pylibsrtp._binding (tests/unit/test_media_hooks.py holds its contract).
"""

from __future__ import annotations

import socket
from array import array
from typing import Any

from cffi import FFI
from pylibsrtp._binding import ffi as _srtp_ffi
from pylibsrtp._binding import lib as _srtp_lib

srtp_ffi: Any = _srtp_ffi
srtp_lib: Any = _srtp_lib

linux_ffi: Any = FFI()
linux_ffi.cdef("""
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                void *msg_control; size_t msg_controllen; int msg_flags; };
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
""")
linux: Any = linux_ffi.dlopen(None)

SLOT = 2048  # bytes of one packet buffer
LARGEST = 1600  # of a datagram we accept: room is left for a longer header and the authentication tag on its way out
_SOCKADDR = 28  # sizeof(struct sockaddr_in6), the larger of the two families
SO_TIMESTAMPNS = 35  # the kernel says of each datagram when it came
_STAMP = 32  # bytes of that message: its header, then seconds and nanoseconds, 64 bits each


# A struct mmsghdr as 64-bit words: where its fields stand.
MESSAGE_WORDS, NAME, NAME_SIZE, IOV, IOV_COUNT, CONTROL, CONTROL_SIZE, LENGTH = 8, 0, 1, 2, 3, 4, 5, 7


def place_of(pointer: Any) -> int:
    """The address of memory of either library."""
    return int(linux_ffi.cast("uintptr_t", pointer))


def words(array: Any) -> memoryview:
    """Memory of ours as 64-bit words."""
    return memoryview(linux_ffi.buffer(array)).cast("B").cast("Q")


class PacketSlots:
    """`count` packet buffers, with the arrays that recvmmsg wants.

    view: all buffers as one writable buffer, slot i begins at i * SLOT; octets: the same as a memoryview, of which
    single bytes and slices cost less; pointers: the same for libsrtp; sizes: what each slot holds.
    """

    def __init__(self, count: int, family: int) -> None:
        self.count = count
        self.address_size = 16 if family == socket.AF_INET else 28
        self._memory = srtp_ffi.new("char[]", count * SLOT)
        self._names = srtp_ffi.new("char[]", count * _SOCKADDR)
        self._iov = linux_ffi.new("struct iovec[]", count)
        self._messages = linux_ffi.new("struct mmsghdr[]", count)
        self._name_octets = memoryview(srtp_ffi.buffer(self._names))
        self._stamps = linux_ffi.new("uint64_t[]", count * _STAMP // 8)
        self._stamp_words = words(self._stamps)
        self.view: Any = srtp_ffi.buffer(self._memory)
        self.octets = memoryview(self.view)
        self.pointers: list[Any] = [self._memory + i * SLOT for i in range(count)]
        headers, buffers = words(self._messages), words(self._iov)
        self.sizes = headers[LENGTH::MESSAGE_WORDS]
        self._stamp_sizes = headers[CONTROL_SIZE::MESSAGE_WORDS]
        self._whole_stamps = memoryview(array("Q", [_STAMP] * count))
        for i in range(count):
            buffers[2 * i], buffers[2 * i + 1] = place_of(self.pointers[i]), SLOT
            at = i * MESSAGE_WORDS
            headers[at + NAME] = place_of(self._names + i * _SOCKADDR)
            headers[at + NAME_SIZE] = self.address_size
            headers[at + IOV], headers[at + IOV_COUNT] = place_of(self._iov + i), 1
            headers[at + CONTROL] = place_of(self._stamps) + i * _STAMP

    def receive(self, fd: int) -> int:
        """How many datagrams now stand in the first slots; 0: none waits."""
        self._stamp_sizes[:] = self._whole_stamps  # the kernel writes what it used of them
        received: int = linux.recvmmsg(fd, self._messages, self.count, socket.MSG_DONTWAIT, linux_ffi.NULL)
        return max(0, received)

    def address(self, slot: int) -> bytes:
        at = slot * _SOCKADDR
        return self._name_octets[at : at + self.address_size].tobytes()

    def stamp(self, slot: int) -> int | None:
        """When its datagram came to this machine: nanoseconds since 1970; None: the kernel does not say."""
        if self._stamp_sizes[slot] < _STAMP:
            return None
        at = slot * _STAMP // 8
        return int(self._stamp_words[at + 2] * 1_000_000_000 + self._stamp_words[at + 3])
