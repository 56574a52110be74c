"""The timeline says what can be seen when, and what happened, from the manifest and the journal alone."""

from __future__ import annotations

from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from recordings.journal import Record
from recordings.manifest import Ended, Opened, Participant, Recording, SegmentFacts
from recordings.talk import talk_lanes
from recordings.timeline import Chapter, Lane, Mark, Timeline, TimelineSegment, build_timeline
from recordings.withdrawal import word_of_note

ZERO = 1_800_000_000.0


def segment(
    id: str, who: str, start: float, duration: float | None, source: str = "teacher", video: bool = True, **ended: Any
) -> SegmentFacts:
    opened = Opened(id, who, source, f"{id}.mp4", start, video, True, True)
    return SegmentFacts(
        opened, None if duration is None else Ended(id, duration, ended.get("gaps", ()), ended.get("whole", True))
    )


def journal(*events: tuple[float, dict[str, Any]]) -> list[Record]:
    return [Record(number, 1, ZERO + at, event) for number, (at, event) in enumerate(events, start=1)]


def joined(who: str, role: str, unit: str, unit_name: str) -> dict[str, Any]:
    return {
        "type": "joined", "participant": who, "role": role, "unit": unit, "unitName": unit_name,
        "name": f"{unit_name}教室", "className": "三（1）班",
    }  # fmt: skip


HOST = Participant("h", "host", "core", "主讲", True, 0.0)
WEST = Participant("w", "member", "west", "西河", True, 1.0)
SILENT = Participant("s", "member", "south", "南村", False, 2.0)
ARRIVALS = (
    (-60.0, joined("h", "host", "core", "横河小学")),
    (-50.0, joined("w", "endpoint", "west", "西河中心学校")),
    (-40.0, joined("a", "assistant", "west", "西河中心学校")),
    (-40.0, joined("o", "observer", "office", "教研室")),
)


def build(recording: Recording, *events: tuple[float, dict[str, Any]], now: float = 3000.0) -> Timeline:
    return build_timeline(recording, journal(*ARRIVALS, *events), ZERO + now)


def test_views_come_host_first_with_names_segments_and_gaps() -> None:
    recording = Recording(
        "s1",
        ZERO,
        (WEST, HOST, SILENT),
        (
            segment("0001", "w", 0.5, 99.5, "", video=False),
            segment("0002", "h", 0.0, 600.0),
            segment("0003", "w", 100.0, 100.0, "pupils", gaps=((10.0, 12.0),)),
            segment("0004", "h", 0.2, 599.0, "pupils"),
            segment("0005", "w", 300.0, 300.0, "pupils"),
        ),
        finished_at=600.0,
    )
    timeline = build(recording, (600.0, {"type": "session_ended", "reason": "host"}))
    assert [(view.participant, view.source, view.side) for view in timeline.views] == [
        ("h", "teacher", "host"),
        ("h", "pupils", "host"),
        ("w", "pupils", "member"),
        ("s", "", "member"),
    ]
    west, silent = timeline.views[2], timeline.views[3]
    assert [part.id for part in west.segments] == ["0001", "0003", "0005"]
    assert west.gaps == ((110.0, 112.0), (200.0, 300.0))
    assert (west.unit_name, west.name, west.class_name) == ("西河中心学校", "西河中心学校教室", "三（1）班")
    assert (silent.consent, silent.segments, silent.unit_name) == (False, (), "南村")
    assert timeline.views[1].gaps == ((599.2, 600.0),)
    assert (timeline.duration, timeline.live, timeline.started_at) == (600.0, False, ZERO)


def test_live_timeline_grows_with_what_is_written() -> None:
    recording = Recording("s1", ZERO, (HOST,), (segment("0001", "h", 0.0, 50.0), segment("0002", "h", 60.0, None)))
    timeline = build_timeline(recording, journal(*ARRIVALS), ZERO + 100.0, {"0002": 39.0})
    assert (timeline.live, timeline.duration) == (True, 100.0)
    assert timeline.views[0].segments[1] == TimelineSegment("0002", 60.0, 39.0, True, True, True)
    assert timeline.views[0].gaps == ((50.0, 60.0), (99.0, 100.0))


def test_segment_that_came_to_nothing_is_not_shown() -> None:
    recording = Recording("s1", ZERO, (HOST,), (segment("0001", "h", 0.0, 0.0),), finished_at=10.0)
    assert build(recording).views[0].segments == ()


def test_chapters_follow_exercises_and_calls_and_leave_out_the_short_ones() -> None:
    recording = Recording("s1", ZERO, (HOST, WEST), (segment("0001", "h", 0.0, 2400.0),), finished_at=2400.0)
    timeline = build(
        recording,
        (0.0, {"type": "session_live"}),
        (100.0, {"type": "called_on", "participant": "w"}),
        (160.0, {"type": "call_ended", "participant": "w"}),
        (200.0, {"type": "called_on", "participant": "w"}),
        (205.0, {"type": "call_ended", "participant": "w"}),
        (600.0, {"type": "exercise_pushed", "exercise": "e1", "title": "口算"}),
        (700.0, {"type": "called_on", "participant": "w"}),
        (800.0, {"type": "call_ended", "participant": "w"}),
        (2350.0, {"type": "session_overrun", "endsIn": 600.0}),
        (2400.0, {"type": "session_ended", "reason": "host"}),
    )
    assert timeline.chapters == (
        Chapter("lesson", "", 0.0, 100.0),
        Chapter("call", "西河中心学校", 100.0, 160.0),
        Chapter("lesson", "", 160.0, 600.0),
        Chapter("exercise", "口算", 600.0, 700.0),
        Chapter("call", "西河中心学校", 700.0, 800.0),
        Chapter("exercise", "口算", 800.0, 2350.0),
        Chapter("overrun", "", 2350.0, 2400.0),
    )


def test_chapters_follow_the_materials_that_are_open() -> None:
    recording = Recording("s1", ZERO, (HOST, WEST), (segment("0001", "h", 0.0, 1000.0),), finished_at=1000.0)
    timeline = build(
        recording,
        (-60.0, {"type": "material_opened", "material": {"title": "导学单"}, "page": 1}),
        (0.0, {"type": "session_live"}),
        (100.0, {"type": "page_turned", "page": 2}),
        (300.0, {"type": "called_on", "participant": "w"}),
        (400.0, {"type": "call_ended", "participant": "w"}),
        (500.0, {"type": "material_opened", "material": {"title": "课件"}, "page": 1}),
        (800.0, {"type": "material_closed"}),
        (1000.0, {"type": "session_ended", "reason": "host"}),
    )
    assert timeline.chapters == (
        Chapter("material", "导学单", 0.0, 300.0),
        Chapter("call", "西河中心学校", 300.0, 400.0),
        Chapter("material", "导学单", 400.0, 500.0),
        Chapter("material", "课件", 500.0, 800.0),
        Chapter("lesson", "", 800.0, 1000.0),
    )


def test_marks_tell_hands_calls_signals_and_dropouts() -> None:
    recording = Recording("s1", ZERO, (HOST, WEST), (segment("0001", "h", 0.0, 1000.0),), finished_at=1000.0)
    timeline = build(
        recording,
        (-10.0, {"type": "hand_raised", "participant": "w"}),
        (10.0, {"type": "marked", "participant": "a", "side": "member", "note": "精彩"}),
        (20.0, {"type": "hand_raised", "participant": "w", "seat": 3}),
        (30.0, {"type": "called_on", "participant": "w"}),
        (45.0, {"type": "call_ended", "participant": "w"}),
        (50.0, {"type": "signalled", "participant": "w", "kind": "slower"}),
        (55.0, {"type": "signalled", "participant": "w", "kind": "ready"}),
        (60.0, {"type": "reconnecting", "participant": "w", "until": 1.0}),
        (80.0, {"type": "returned", "participant": "w"}),
        (90.0, {"type": "reconnecting", "participant": "w", "until": 1.0}),
        (150.0, {"type": "left", "participant": "w", "reason": "lost"}),
        (270.0, joined("w", "endpoint", "west", "西河中心学校")),
        (400.0, {"type": "left", "participant": "w", "reason": "left"}),
        (900.0, {"type": "left", "participant": "h", "reason": "lost"}),
        (950.0, {"type": "something_new", "participant": "h"}),
        (1000.0, {"type": "session_ended", "reason": "host"}),
    )

    def mark(kind: Any, at: float, until: float | None, who: str, label: str = "") -> Mark:
        side: Literal["host", "member"] = "host" if who == "h" else "member"
        word = word_of_note(who, ZERO + at) if kind == "mark" else ""
        return Mark(kind=kind, at=at, until=until, participant=who, side=side, label=label, word=word)

    assert timeline.marks == (
        mark("mark", 10.0, None, "a", "精彩"),
        mark("hand", 20.0, None, "w"),
        mark("call", 30.0, 45.0, "w"),
        mark("signal", 50.0, None, "w", "slower"),
        mark("dropout", 60.0, 80.0, "w"),
        mark("dropout", 90.0, 270.0, "w"),
        mark("dropout", 900.0, 1000.0, "h"),
    )


def test_talk_is_laid_out_by_participant() -> None:
    recording = Recording("s1", ZERO, (HOST, WEST), (segment("0001", "h", 0.0, 100.0),), finished_at=100.0)
    timeline = build(
        recording,
        (20.0, {"type": "talk_measured", "participant": "h", "since": ZERO + 10, "seconds": 9.5}),
        (30.0, {"type": "talk_measured", "participant": "h", "since": ZERO + 20, "seconds": 4}),
        (30.0, {"type": "talk_measured", "participant": "w", "since": ZERO + 20, "seconds": 0}),
        (40.0, {"type": "speaking", "participant": "w", "speaking": True}),
        (45.0, {"type": "speaking", "participant": "w", "speaking": False}),
        (95.0, {"type": "speaking", "participant": "w", "speaking": True}),
        (100.0, {"type": "session_ended"}),
    )
    assert timeline.talk == (
        Lane("h", "host", ((10.0, 24.0),)),
        Lane("w", "member", ((40.0, 45.0), (95.0, 100.0))),
    )


def test_session_that_was_never_recorded_has_a_timeline_of_its_events() -> None:
    timeline = build(Recording(), (5.0, {"type": "session_live"}), (65.0, {"type": "session_ended"}))
    assert (timeline.started_at, timeline.duration, timeline.views) == (ZERO + 5.0, 60.0, ())
    assert timeline.chapters == (Chapter("lesson", "", 0.0, 60.0),)


_EVENT = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["joined", "left", "called_on", "call_ended", "marked", "reconnecting", "returned", "exercise_pushed",
             "talk_measured", "speaking", "hand_raised", "signalled", "session_ended", "other"]
        ),
        "participant": st.sampled_from(["h", "w", "x"]),
    },
    optional={
        "reason": st.sampled_from(["lost", "left"]),
        "since": st.floats(ZERO - 100, ZERO + 1000) | st.text(),
        "seconds": st.floats(0, 500) | st.none(),
        "speaking": st.booleans(),
        "title": st.text(max_size=5),
    },
)  # fmt: skip


@given(
    st.lists(st.tuples(st.floats(-100, 1200), _EVENT), max_size=40),
    st.lists(st.tuples(st.floats(-1, 900), st.floats(0, 300)), max_size=8),
)
def test_timeline_of_any_events_is_well_formed(
    events: list[tuple[float, dict[str, Any]]], spans: list[tuple[float, float]]
) -> None:
    parts = tuple(segment(f"{number:04d}", "h", start, length) for number, (start, length) in enumerate(spans))
    timeline = build(Recording("s1", ZERO, (HOST, WEST), parts), *sorted(events, key=lambda event: event[0]))
    assert timeline.duration >= 0
    edges = [chapter.start for chapter in timeline.chapters] + [chapter.end for chapter in timeline.chapters[-1:]]
    assert edges == sorted(edges)
    if timeline.duration:
        assert (edges[0], edges[-1]) == (0.0, timeline.duration)
    for view in timeline.views:
        assert all(end >= start for start, end in view.gaps)
    for lane in timeline.talk:
        flat = [edge for span in lane.spans for edge in span]
        assert flat == sorted(flat)
        assert 0 <= flat[0] <= flat[-1] <= timeline.duration
    for mark in timeline.marks:
        assert 0 <= mark.at <= timeline.duration
        assert mark.until is None or mark.until <= timeline.duration


def test_talk_without_events_is_empty() -> None:
    assert talk_lanes([], ZERO, 10.0) == {}
