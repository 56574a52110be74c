"""The floor below every server of its kind: python -m tests.bench.bare_sends SOCKETS BYTES COMMAND_BYTES SECONDS.

The same sockets and the same bytes as in the signaling benchmark, told by one system call for each socket and nothing
else: no frame is read, nothing is decided or kept, no event loop turns. What has come SECONDS after the first
command is told together. A WebSocket handshake and `GET /cpu` are answered as far as the benchmark needs them. Prints
its port.
"""

from __future__ import annotations

import base64
import hashlib
import select
import socket
import sys
import time
from os import read, write

_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MASK_BYTES, HEAD_BYTES = 4, 2


def main(sockets: int, event_bytes: int, command_bytes: int, gather_seconds: float) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    clients = [_accept(listener) for _ in range(sockets)]
    _answer_cpu(listener)
    descriptors = [client.fileno() for client in clients]
    told, answer = b"\x82" + bytes((event_bytes,)) + b"x" * event_bytes, b"\x82\x18" + b"x" * 24
    commander = descriptors[0]
    waiting = select.epoll()
    waiting.register(commander, select.EPOLLIN)
    waiting.register(listener, select.EPOLLIN)
    while True:
        ((ready, _), *_) = waiting.poll()
        if ready != commander:
            _answer_cpu(listener)
            continue
        if gather_seconds:
            time.sleep(gather_seconds)
        commands = len(read(commander, 65536)) // (HEAD_BYTES + MASK_BYTES + command_bytes)
        if not commands:
            return
        write(commander, (told + answer) * commands)
        data = told * commands
        for client in descriptors[1:]:
            write(client, data)


def _accept(listener: socket.socket) -> socket.socket:
    """The next client that wants a WebSocket."""
    client = listener.accept()[0]
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = _request(client).split(b"\r\n")
    key = next(line.split(b":")[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key + _KEY_SUFFIX, usedforsecurity=False).digest())
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + b"\r\n\r\n"
    )
    return client


def _answer_cpu(listener: socket.socket) -> None:
    with listener.accept()[0] as client:
        _request(client)
        used = str(time.process_time() * 1e6).encode()
        client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(used) + used)


def _request(client: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        got = client.recv(4096)
        if not got:
            raise ConnectionResetError
        head += got
    return head


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), gather_seconds=float(sys.argv[4]))
