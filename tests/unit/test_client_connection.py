"""The browser's signaling socket on a panel whose clock is put right in mid-lesson: the socket's life is counted by a
clock that nobody sets."""

from __future__ import annotations

from typing import Any

import pytest

from tests import client_code

HOURS = 3600 * 1000

LIVE = """
    // a socket that the server opens and, as long as `beats`, keeps talking on; nothing else of it matters here
    const sockets = [];
    class Socket {
        static OPEN = 1;
        readyState = 1;
        constructor() { sockets.push(this); setTimeout(() => this.onopen?.(), 0); }
        send() {
            this.say({ t: "welcome", participant: "a", role: "endpoint", epoch: 1, seq: 0, serverTime: 0,
                       heartbeatSeconds: 0.2, snapshot: {}, tracks: [] });
            this.send = () => undefined;
        }
        say(message) { this.onmessage?.({ data: JSON.stringify(message) }); }
        close() {}
    }
    globalThis.WebSocket = Socket;
    globalThis.location = { href: "http://county.test/" };
    const sleep = (time) => new Promise((done) => setTimeout(done, time));
    const join = async () => ({ token: "t", socketUrl: "/ws/live" });
    const listener = { changed: () => undefined, received: () => undefined };
    const connection = new module.Connection(join, "d", listener, undefined, { json: true });
    const beat = setInterval(() => given.beats && sockets[0].say({ t: "links", links: {} }), 50);
    connection.start();
    while (connection.phase !== "connected") await sleep(10);
    const right = Date.now;
    Date.now = () => right() + given.jump;
    const until = right() + (given.beats ? 1_500 : 10_000);
    while (right() < until && connection.phase === "connected") await sleep(20);
    const answer = { phase: connection.phase, sockets: sockets.length };
    clearInterval(beat);
    connection.stop();
    return answer;
"""


@pytest.mark.parametrize("jump", [-5 * HOURS, 5 * HOURS])
@pytest.mark.parametrize(("beats", "phase"), [(True, "connected"), (False, "reconnecting")])
def test_a_clock_that_is_put_right_neither_ends_nor_hides_the_end_of_a_socket(
    jump: int, beats: bool, phase: str
) -> None:
    found: dict[str, Any] = client_code.run("classroom/connection.ts", LIVE, {"jump": jump, "beats": beats})
    assert (found["phase"], found["sockets"]) == (phase, 1)
