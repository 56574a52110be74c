"""An address of this machine beside the loopback's, which Firefox wants for media: one that it has, or one of a network
namespace that holds nobody else."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import services

CLONE_NEWNET = 0x40000000
INSIDE = "192.0.2.10"
SETUP = (
    "ip link set lo up && ip link add tongke0 type veth peer name tongke1"
    f" && ip addr add {INSIDE}/24 dev tongke0 && ip link set tongke0 up && ip link set tongke1 up"
    " && ip route add default via 192.0.2.1"
)
"""A default route leads nowhere, but without one Firefox takes no address."""


@contextmanager
def address_beside_loopback() -> Iterator[str]:
    """Where the machine has none, this thread and whatever it starts are in the namespace for as long."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            found = str(probe.getsockname()[0])
        except OSError:
            found = ""
    if found:
        yield found
        return
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(Path("/proc/thread-self/ns/net"), os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            reason = f"no address beside the loopback's, and no namespace: {os.strerror(ctypes.get_errno())}"
            (pytest.fail if services.require_all() else pytest.skip)(reason)
        try:
            subprocess.run(["sh", "-c", SETUP], check=True)
            yield INSIDE
        finally:
            if libc.setns(before, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "cannot return to the machine's network")
    finally:
        os.close(before)
