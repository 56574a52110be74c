"""The pen of the browser: what it sends adds up to the line that was drawn, in few and small messages."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from signaling.board import POINTS_OF_STROKE
from tests import client_code

DRAW = """
    let clock = 0;
    let timer = null; // a pen has one at a time
    globalThis.setTimeout = (run, after) => { timer = { run, at: clock + after }; return 1; };
    globalThis.clearTimeout = () => { timer = null; };
    const sent = [];
    const refuse = new Set(given.refuse);
    let ids = 0;
    const drawing = new module.Drawing(async (wish) => {
        sent.push({ at: clock, ...wish });
        return !refuse.has(sent.length);
    }, () => `s${++ids}`);
    const shown = [];
    drawing.begin({ version: "v", page: 1 }, { colour: "red", width: 10 }, ...given.points[0]);
    for (const [x, y] of given.points.slice(1)) {
        clock += 8;
        if (timer !== null && timer.at <= clock) {
            const { run } = timer;
            timer = null;
            run();
        }
        drawing.move(x, y);
        await null;
    }
    shown.push(drawing.local.value.length);
    drawing.end();
    await new Promise((done) => setImmediate(done));
    shown.push(drawing.local.value.length);
    return { sent, shown };
"""


def drawn(points: list[tuple[int, int]], *refuse: int) -> Any:
    return client_code.run("classroom/drawing.ts", DRAW, {"points": points, "refuse": refuse})


def lines(sent: list[dict[str, Any]]) -> dict[str, list[tuple[int, int]]]:
    """The points of every stroke, as the server adds the steps up."""
    steps: dict[str, list[int]] = {}
    for message in sent:
        if message["t"] == "draw_stroke":
            assert message["stroke"] not in steps
            steps[message["stroke"]] = []
        steps[message["stroke"]] += message["points"]
    return {
        stroke: list(zip(accumulate(found[0::2]), accumulate(found[1::2]), strict=True))
        for stroke, found in steps.items()
    }


def test_what_is_sent_adds_up_to_what_was_drawn() -> None:
    points = [(100 + 9 * step, 2000 - 7 * step) for step in range(150)]
    found = drawn(points)
    assert lines(found["sent"]) == {"s1": points}
    assert found["shown"] == [1, 0]
    # 150 points in 1.2 s: no message for each, none above what one may hold
    assert len(found["sent"]) <= 12
    assert max(len(message["points"]) for message in found["sent"]) <= 512


def test_trembling_is_left_out() -> None:
    found = drawn([(1000, 1000), (1001, 1002), (1000, 1001), (1020, 1000), (1021, 1001)])
    assert lines(found["sent"]) == {"s1": [(1000, 1000), (1020, 1000)]}


def test_a_line_that_does_not_end_becomes_several() -> None:
    points = [(step % 400 * 10, step % 13 * 20) for step in range(3000)]
    found = lines(drawn(points)["sent"])
    assert len(found) == 3
    assert all(len(stroke) <= POINTS_OF_STROKE for stroke in found.values())
    joined = [point for stroke in found.values() for point in stroke]
    assert set(points) == set(joined)


def test_a_refused_stroke_is_taken_off_the_screen_and_not_gone_on_with() -> None:
    found = drawn([(10 * step, 50) for step in range(60)], 2)
    assert len(found["sent"]) == 2
    assert found["shown"] == [0, 0]
