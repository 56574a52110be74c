"""The review's player: which bytes it fetches, and how several views keep step."""

from __future__ import annotations

from typing import Any

import pytest

from tests import client_code

# [time, duration, offset, size, starts with a keyframe]: seconds of a recording with a keyframe every other second
FRAGMENTS = [[float(n), 1.0, 1000 + n * 100_000, 100_000, n % 2 == 0] for n in range(60)]

SIMULATION = """
    // Players of a made-up machine: they take `seek` seconds to seek, and drift by `drift`.
    class Machine {
        constructor(id, segments, {drift = 0, seek = 0.12} = {}) {
            Object.assign(this, {id, segments, drift, seekTakes: seek});
            Object.assign(this, {speed: 1, playing: false, at: null, wait: 0, seeks: 0});
        }
        get time() { return this.at; }
        get seeking() { return this.wait > 0; }
        get ready() { return this.at !== null && this.wait <= 0; }
        segmentAt(t) { return this.segments.find(([from, to]) => t >= from && t < to); }
        covers(t) { return this.segmentAt(t) !== undefined; }
        placed(t) {
            const segment = this.segmentAt(t);
            return segment !== undefined && this.at >= segment[0] - 0.1 && this.at <= segment[1];
        }
        seek(t) {
            if (!this.covers(t)) { this.playing = false; return; }
            this.at = t;
            this.wait = this.seekTakes;
            this.seeks++;
        }
        prepare() {}
        play() { this.playing = true; }
        pause() { this.playing = false; }
        rate(r) { this.speed = r; }
        tend() {}
        run(seconds) {
            if (this.wait > 0) { this.wait -= seconds; return; }
            const end = this.segments.find(([from, to]) => this.at >= from - 0.1 && this.at <= to)?.[1] ?? this.at;
            if (this.playing) this.at = Math.min(end, this.at + seconds * this.speed * (1 + this.drift));
        }
    }
    const {players, duration, seconds, events = {}} = given;
    const machines = players.map(({id, segments, ...how}) => new Machine(id, segments, how));
    const conductor = new module.Conductor();
    conductor.duration = duration;
    conductor.set(machines, players.map(p => p.id));
    conductor.seek(0);
    conductor.play();
    const trace = [];
    for (let step = 0; step < seconds * 10; step++) {
        const event = events[step];
        if (event?.seek !== undefined) conductor.seek(event.seek);
        if (event?.stall) machines.find(m => m.id === event.stall).wait = event.for;
        for (const machine of machines) machine.run(0.1);
        conductor.tick(1000 + step * 100);
        trace.push({
            position: conductor.position, playing: conductor.playing, waiting: conductor.waiting,
            spread: conductor.spread, playingOf: machines.map(m => m.playing), seeks: machines.map(m => m.seeks),
        });
    }
    return trace;
"""


def simulate(players: list[dict[str, Any]], *, duration: float, seconds: float, **more: Any) -> list[dict[str, Any]]:
    given = {"players": players, "duration": duration, "seconds": seconds, **more}
    trace: list[dict[str, Any]] = client_code.run("review/sync.ts", SIMULATION, given)
    return trace


@pytest.mark.parametrize(
    ("time", "start"), [(-5.0, 0), (0.0, 0), (0.99, 0), (1.5, 0), (2.0, 2), (3.9, 2), (58.2, 58), (99.0, 58)]
)
def test_decoding_starts_at_the_keyframe_before(time: float, start: int) -> None:
    found = client_code.run("review/feed.ts", "return module.startOf(...given)", [FRAGMENTS, time])
    assert found == start


@pytest.mark.parametrize(
    ("appended", "position", "expected"),
    [
        ([], 0.0, {"from": 0, "to": 7}),  # eight seconds at most
        ([0, 1, 2], 0.0, {"from": 3, "to": 10}),
        ([4, 5], 3.0, {"from": 2, "to": 3}),  # stops before what is there
        (list(range(21)), 0.0, None),  # twenty seconds ahead are enough
        (list(range(58, 60)), 59.5, None),
    ],
)
def test_next_request_holds_the_neighbours_that_are_missing(
    appended: list[int], position: float, expected: dict[str, int] | None
) -> None:
    script = "return module.nextRun(given[0], new Set(given[1]), given[2])"
    assert client_code.run("review/feed.ts", script, [FRAGMENTS, appended, position]) == expected


def test_next_request_is_bounded_in_bytes() -> None:
    large = [[float(n), 1.0, n * 600_000, 600_000, True] for n in range(9)]
    script = "return module.nextRun(given, new Set(), 0)"
    assert client_code.run("review/feed.ts", script, large) == {"from": 0, "to": 1}


@pytest.mark.parametrize(
    ("error", "base", "rate"),
    [(0.0, 1.0, 1.0), (0.009, 1.0, 1.0), (0.1, 1.0, 1.09), (-0.1, 1.0, 0.91), (5.0, 1.0, 1.25), (-5.0, 2.0, 1.5)],
)
def test_follower_changes_its_rate_with_the_error(error: float, base: float, rate: float) -> None:
    found = client_code.run("review/sync.ts", "return module.followingRate(...given)", [error, base])
    assert found == pytest.approx(rate)


def test_views_that_drift_stay_within_a_frame() -> None:
    players: list[dict[str, Any]] = [
        {"id": "host", "segments": [[0, 100]]},
        {"id": "far", "segments": [[0, 100]], "drift": 0.01},
        {"id": "other", "segments": [[0, 100]], "drift": -0.01},
    ]
    trace = simulate(players, duration=100, seconds=30)
    assert max(step["spread"] for step in trace[100:]) < 0.03
    assert all(step["seeks"] == trace[100]["seeks"] for step in trace[100:])


def test_stalled_follower_is_brought_back_without_stopping_the_leader() -> None:
    players = [{"id": "host", "segments": [[0, 100]]}, {"id": "far", "segments": [[0, 100]]}]
    trace = simulate(players, duration=100, seconds=30, events={"100": {"stall": "far", "for": 1.2}})
    assert trace[-1]["position"] == pytest.approx(30, abs=1)
    assert trace[-1]["spread"] < 0.02


def test_stalled_leader_is_waited_for() -> None:
    players = [{"id": "host", "segments": [[0, 100]]}, {"id": "far", "segments": [[0, 100]]}]
    trace = simulate(players, duration=100, seconds=30, events={"100": {"stall": "host", "for": 3.0}})
    assert trace[110]["waiting"]
    assert trace[110]["playingOf"][1] is False
    assert trace[-1]["position"] == pytest.approx(27, abs=1)
    assert trace[-1]["spread"] < 0.02


def test_another_view_leads_through_a_gap_of_the_leader() -> None:
    players = [{"id": "host", "segments": [[0, 10], [20, 40]]}, {"id": "far", "segments": [[0, 40]]}]
    trace = simulate(players, duration=40, seconds=30)
    assert trace[150]["playingOf"] == [False, True]
    assert trace[-1]["position"] == pytest.approx(29.5, abs=1)
    assert trace[-1]["playingOf"] == [True, True]
    assert trace[-1]["spread"] < 0.05


def test_clock_leads_where_nobody_was_recorded() -> None:
    players = [{"id": "host", "segments": [[5, 10]]}, {"id": "far", "segments": [[6, 10]]}]
    trace = simulate(players, duration=12, seconds=14)
    assert trace[30]["position"] == pytest.approx(3, abs=0.3)
    assert trace[80]["playingOf"] == [True, True]
    assert trace[-1]["position"] == 12
    assert not trace[-1]["playing"]


def test_seek_moves_all_views() -> None:
    players = [{"id": "host", "segments": [[0, 100]]}, {"id": "far", "segments": [[0, 100]]}]
    trace = simulate(players, duration=100, seconds=20, events={"50": {"seek": 60}})
    assert trace[-1]["position"] == pytest.approx(75, abs=1)
    assert trace[-1]["spread"] < 0.02
