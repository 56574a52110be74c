"""Page turns in step: how long a turn waits, and what pages make of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.clock import MARGIN, MOST_LEAD, in_step, lead
from signaling.events import Marked
from signaling.materials import BLANK, MaterialClosed, MaterialOpened, PageTurned
from tests import client_code

DELAYS = st.lists(st.floats(0.0, 60.0) | st.just(float("nan")), max_size=9)


@pytest.mark.parametrize(
    ("delays", "seconds"),
    [
        ([], 0.0),
        ([0.01], 0.04),
        ([0.01, 0.2, 0.05], 0.23),
        ([0.01, 0.2, 3.0], 0.23),
        ([3.0], 0.0),
        ([MOST_LEAD - MARGIN], MOST_LEAD),
    ],
)
def test_a_turn_waits_for_the_slowest_that_can_be_waited_for(delays: list[float], seconds: float) -> None:
    assert lead(delays) == seconds


@given(DELAYS)
def test_no_turn_waits_long_and_each_that_can_be_reached_is(delays: list[float]) -> None:
    seconds = lead(delays)
    assert 0.0 <= seconds <= MOST_LEAD
    for delay in delays:
        if delay <= MOST_LEAD - MARGIN:
            assert delay < seconds


def test_only_what_shows_another_page_waits() -> None:
    turned, opened = PageTurned(by="host", page=2), MaterialOpened(by="host", page=1, material=BLANK)
    closed, marked = MaterialClosed(by="host"), Marked(participant="host", side="host")
    done = in_step([turned, closed, opened, marked], 0.25)
    assert done == [
        PageTurned(by="host", page=2, lead=0.25),
        closed,
        MaterialOpened(by="host", page=1, material=BLANK, lead=0.25),
        marked,
    ]


CLOCK = """
    let now = 0;
    const clock = new module.ServerClock(() => now);
    const first = clock.question().behind ?? null;
    for (const [sent, server, heard] of given.answers) {
        now = heard;
        clock.told({ t: "time_told", sent, serverTime: server });
    }
    now = given.now;
    return { first, until: clock.until(given.instant), behind: clock.question().behind };
"""


def answers(*trips: tuple[float, float], offset: float) -> list[tuple[float, float, float]]:
    """By seconds up and down: when each was asked, the server's time in it, and when it came."""
    return [(number, number + up + offset, number + up + down) for number, (up, down) in enumerate(trips)]


def test_page_learns_the_servers_time_and_its_own_delay() -> None:
    """The answers that waited behind a page's picture spoil neither."""
    trips = [(0.03, 0.03), (0.03, 0.5), (0.03, 0.04), (0.03, 0.03), (0.03, 0.05)]
    given = {"answers": answers(*trips, offset=5000.0), "now": 10.0, "instant": 5010.2}
    found: dict[str, Any] = client_code.run("classroom/in-step.ts", CLOCK, given)
    assert found["first"] is None
    assert found["until"] == pytest.approx(0.2)
    assert found["behind"] == pytest.approx(0.05)


HELD = """
    let now = 0;
    const shown = [];
    const clock = new module.ServerClock(() => now);
    clock.told({ t: "time_told", sent: 0, serverTime: 100 });
    const timers = [];
    globalThis.setTimeout = (work, ms) => timers.push({ work, at: now + ms / 1000 });
    globalThis.clearTimeout = (id) => { if (id !== undefined) timers[id - 1].work = () => undefined; };
    const inStep = new module.InStep(clock, (message) => shown.push([now, message.name]));
    for (const [at, message, waits] of given) {
        for (const timer of timers) {
            if (timer.at > at || timer.done) continue;
            [timer.done, now] = [true, timer.at];
            timer.work();
        }
        now = at;
        inStep.take(message, waits);
    }
    for (const timer of timers) if (!timer.done) { now = timer.at; timer.work(); }
    return shown.map(([at, name]) => [Math.round(at * 1000) / 1000, name]);
"""


def turned(name: str, at: float, seconds: float) -> dict[str, Any]:
    event = {"type": "page_turned", "by": "host", "page": 1, "part": 0, "lead": seconds}
    return {"t": "event", "name": name, "epoch": 1, "seq": 1, "at": at, "event": event}


def other(name: str, kind: str = "links") -> dict[str, Any]:
    return {"t": kind, "name": name}


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        ([(1.0, turned("a", 101.0, 0.3), True)], [[1.3, "a"]]),
        ([(1.2, turned("a", 101.0, 0.3), True)], [[1.3, "a"]]),
        ([(1.4, turned("late", 101.0, 0.3), True)], [[1.4, "late"]]),
        ([(1.0, turned("host", 101.0, 0.3), False)], [[1.0, "host"]]),
        ([(1.0, turned("a clock that jumped", 500.0, 0.3), True)], [[1.0, "a clock that jumped"]]),
        (
            [
                (1.0, turned("a", 101.0, 0.3), True),
                (1.1, other("stroke"), True),
                (1.2, turned("b", 101.2, 0.3), True),
                (1.25, other("last"), True),
            ],
            [[1.3, "a"], [1.3, "stroke"], [1.5, "b"], [1.5, "last"]],
        ),
        (
            [(1.0, turned("a", 101.0, 0.3), True), (1.1, other("back", "resumed"), True)],
            [[1.1, "a"], [1.1, "back"]],
        ),
    ],
    ids=["early", "on its way", "late", "host", "jump", "order", "return"],
)
def test_page_holds_a_turn_until_the_instant(heard: list[Any], shown: list[Any]) -> None:
    assert client_code.run("classroom/in-step.ts", HELD, heard) == shown


FAILING = """
    let now = 0;
    const shown = [], thrown = [], timers = [];
    const clock = new module.ServerClock(() => now);
    clock.told({ t: "time_told", sent: 0, serverTime: 100 });
    globalThis.setTimeout = (work, ms) => timers.push({ work, at: now + ms / 1000 });
    globalThis.clearTimeout = () => undefined;
    const inStep = new module.InStep(clock, (message) => {
        if (message.name === "bad") throw new Error(message.name);
        shown.push(message.name);
    });
    const act = (work) => { try { work(); } catch (error) { thrown.push(error.message); } };
    for (const [message, waits] of given.heard) act(() => inStep.take(message, waits));
    if (given.timer) { now = 2; act(() => timers[0].work()); } else act(() => inStep.flush());
    return [shown, thrown];
"""


@pytest.mark.parametrize("timer", [True, False], ids=["at the instant", "at the end"])
@pytest.mark.parametrize(
    "last",
    [(other("last"), True), (other("last", "resumed"), True), (other("last"), False)],
    ids=["on", "again", "host"],
)
def test_a_message_that_cannot_be_shown_takes_no_other_along_and_its_error_is_seen(timer: bool, last: Any) -> None:
    heard = [(turned("a", 100.0, 0.3), True), (other("bad"), True), (other("stroke"), True), last]
    shown, thrown = client_code.run("classroom/in-step.ts", FAILING, {"heard": heard, "timer": timer})
    assert shown == ["a", "stroke", "last"]
    assert thrown == ["bad"]
