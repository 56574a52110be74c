"""The browser's signaling socket where things come out of turn: a clock that is put right in mid-lesson, a way in that
fails long after another has succeeded, and words that have waited through a cut."""

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


OUT_OF_TURN = """
    // sockets that open at once and answer a hello; joining, and what the server says besides, is the test's
    const sockets = [], told = [], joins = [];
    let clock = 1_000;
    const hello = { t: "welcome", participant: "a", role: "endpoint", epoch: 1, seq: 0, serverTime: 0,
                    heartbeatSeconds: 5, snapshot: {}, tracks: [] };
    class Socket {
        static OPEN = 1;
        readyState = 1;
        constructor() { sockets.push(this); setTimeout(() => this.onopen?.(), 0); }
        send(frame) {
            const message = JSON.parse(frame);
            if (message.t === "hello") this.onmessage?.({ data: JSON.stringify(hello) });
            else told.push(message);
        }
        close() {}
    }
    globalThis.WebSocket = Socket;
    globalThis.location = { href: "http://county.test/" };
    const sleep = (time) => new Promise((done) => setTimeout(done, time));
    const until = async (condition) => { while (!condition()) await sleep(5); };
    const way = () => new Promise((found, failed) => joins.push({
        succeed: () => found({ token: "t", socketUrl: "/ws/live" }), fail: () => failed(new TypeError("no line")),
    }));
    let numbers = 0;
    const env = { now: () => clock, random: () => 0, id: () => `${++numbers}`, open: () => new Socket() };
    const listener = { changed: () => undefined, received: () => undefined };
    const connection = new module.Connection(way, "d", listener, env, { json: true });
    connection.start();
"""
SLOW_TO_FAIL = """
    connection.retryNow();
    joins[1].succeed();
    await until(() => connection.phase === "connected");
    joins[0].fail();
    await sleep(20);
    const answer = { phase: connection.phase, since: connection.downSince, sockets: sockets.length };
    connection.stop();
    return answer;
"""
WAITED = """
    joins[0].succeed();
    await until(() => connection.phase === "connected");
    sockets[0].onclose();
    connection.request({ t: "raise_hand" }).catch(() => undefined);
    clock += 60_000;
    await until(() => joins.length === 2);
    joins[1].succeed();
    await until(() => connection.phase === "connected");
    const unsent = connection.unsent;
    await sleep(1_200);
    const answer = { phase: connection.phase, sockets: sockets.length, told: told.length, unsent };
    connection.stop();
    return answer;
"""
SAID_ONCE = """
    listener.received = () => connection.request({ t: "report_devices" }).catch(() => undefined);
    connection.request({ t: "raise_hand" }).catch(() => undefined);
    joins[0].succeed();
    await until(() => connection.phase === "connected" && told.length > 0);
    await sleep(20);
    connection.stop();
    return told.map((message) => message.t);
"""


def test_way_in_that_fails_late_does_not_hide_that_the_page_is_in() -> None:
    """On a bad line the first request may fail half a minute after the second one has succeeded."""
    found = client_code.run("classroom/connection.ts", OUT_OF_TURN + SLOW_TO_FAIL, {})
    assert found == {"phase": "connected", "since": None, "sockets": 1}


def test_words_that_waited_through_a_cut_are_no_sign_of_another() -> None:
    found = client_code.run("classroom/connection.ts", OUT_OF_TURN + WAITED, {})
    assert found == {"phase": "connected", "sockets": 2, "told": 1, "unsent": True}


def test_what_is_said_on_coming_in_is_said_once_and_after_what_has_waited() -> None:
    found = client_code.run("classroom/connection.ts", OUT_OF_TURN + SAID_ONCE, {})
    assert found == ["raise_hand", "report_devices"]
