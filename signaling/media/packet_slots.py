"""Packet memory shared with the kernel and libsrtp. This module owns sendmmsg and recvmmsg (Linux only).

cffi in ABI mode: no compiler is needed. What cffi hands out has no types, so `Any` ends here. Private name used:
pylibsrtp._binding (tests/unit/test_media_hooks.py holds its contract).
"""

from __future__ import annotations

import socket
from typing import Any

from cffi import FFI
from pylibsrtp._binding import ffi as _srtp_ffi
from pylibsrtp._binding import lib as _srtp_lib

srtp_ffi: Any = _srtp_ffi
srtp_lib: Any = _srtp_lib

_ffi: Any = FFI()
_ffi.cdef("""
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                void *msg_control; size_t msg_controllen; int msg_flags; };
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
""")
_libc: Any = _ffi.dlopen(None)

SLOT = 2048  # bytes of one packet buffer
LARGEST = 1600  # of a datagram we accept: room is left for a longer header and the authentication tag on its way out
_SOCKADDR = 28  # sizeof(struct sockaddr_in6), the larger of the two families


def _foreign(pointer: Any) -> Any:
    """A pointer of pylibsrtp's ffi as one of ours."""
    return _ffi.cast("void *", int(srtp_ffi.cast("uintptr_t", pointer)))


class Target:
    """A socket address in memory of its own, where the kernel may read it at every send."""

    def __init__(self) -> None:
        self._memory = srtp_ffi.new("char[]", _SOCKADDR)
        self.name = _foreign(self._memory)

    def set(self, address: bytes) -> None:
        srtp_ffi.memmove(self._memory, address, len(address))


class PacketSlots:
    """`count` packet buffers, with the arrays that sendmmsg and recvmmsg want.

    view: all buffers as one writable buffer, slot i begins at i * SLOT; pointers: the same for libsrtp.
    """

    def __init__(self, count: int, family: int) -> None:
        self.count = count
        self.address_size = 16 if family == socket.AF_INET else 28
        self._memory = srtp_ffi.new("char[]", count * SLOT)
        self._names = srtp_ffi.new("char[]", count * _SOCKADDR)
        self._iov = _ffi.new("struct iovec[]", count)
        self._messages = _ffi.new("struct mmsghdr[]", count)
        self._name_bytes: Any = srtp_ffi.buffer(self._names)
        self.view: Any = srtp_ffi.buffer(self._memory)
        self.length: Any = srtp_ffi.new("int *")  # in and out argument of libsrtp, for whichever slot it works on
        self.targets: list[Target | None] = [
            None
        ] * count  # whom msg_name of each slot names: kept alive for the kernel
        self.pointers: list[Any] = [self._memory + i * SLOT for i in range(count)]
        self.iov: list[Any] = [self._iov[i] for i in range(count)]
        self.headers: list[Any] = [self._messages[i].msg_hdr for i in range(count)]
        for i in range(count):
            self.iov[i].iov_base = _foreign(self.pointers[i])
            self.iov[i].iov_len = SLOT
            header = self.headers[i]
            header.msg_name = _foreign(self._names + i * _SOCKADDR)
            header.msg_namelen = self.address_size
            header.msg_iov = self._iov + i
            header.msg_iovlen = 1

    def receive(self, fd: int) -> int:
        """How many datagrams now stand in the first slots; 0: none waits."""
        return max(0, int(_libc.recvmmsg(fd, self._messages, self.count, socket.MSG_DONTWAIT, _ffi.NULL)))

    def size(self, slot: int) -> int:
        return int(self._messages[slot].msg_len)

    def address(self, slot: int) -> bytes:
        at = slot * _SOCKADDR
        return bytes(self._name_bytes[at : at + self.address_size])

    def aim(self, slot: int, size: int, target: Target) -> None:
        """The slot holds `size` bytes for this address."""
        self.iov[slot].iov_len = size
        if self.targets[slot] is not target:
            self.headers[slot].msg_name = target.name
            self.targets[slot] = target

    def send(self, fd: int, start: int, count: int) -> int:
        """How many of the slots from `start` on the kernel took; 0: it refused the first."""
        return max(0, int(_libc.sendmmsg(fd, self._messages + start, count, socket.MSG_DONTWAIT)))
