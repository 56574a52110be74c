"""This module owns the review's timeline: what can be seen and heard when, and what happened, in lesson seconds.

It is folded from two sources: the manifest (views, segments, consent) and the lesson's journal (names, chapters, marks,
dropouts, talk). Pure: the same inputs give the same timeline, and events it does not know are passed over. Where two
segments of a view overlap, the one that begins later is the better one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from recordings.journal import Record
from recordings.manifest import Participant, Recording, SegmentFacts
from recordings.talk import talk_lanes
from recordings.withdrawal import word_of_note

Side = Literal["host", "member"]
MarkKind = Literal["mark", "hand", "call", "dropout", "signal"]

SHORTEST_CHAPTER = 10.0
"""Seconds below which a chapter is part of the one before."""

NOTABLE_GAP = 0.5
"""Seconds without a recorded picture from which on they are shown as a gap."""

_CHAPTERS = {"exercise_pushed": "exercise", "session_overrun": "overrun"}
_NOT_MARKED = {"ready"}


class TimelineSegment(Struct, frozen=True):
    """A segment's place on the timeline: `start` is its file's zero. `growing`: it is being written still."""

    id: str
    start: float
    duration: float
    video: bool
    audio: bool
    growing: bool


class View(Struct, frozen=True, kw_only=True):
    """One camera of one participant, or their microphone alone. `codec` names a picture that cannot be recorded."""

    participant: str
    source: str
    side: Side
    unit: str
    unit_name: str
    name: str
    class_name: str
    consent: bool
    codec: str
    segments: tuple[TimelineSegment, ...]
    gaps: tuple[tuple[float, float], ...]
    """Stretches, from the view's beginning on, of which there is nothing to see (to hear, where it has no camera)."""


class Chapter(Struct, frozen=True):
    """Chapters follow each other without a gap. `code` is a stable word, `title` what the teachers called it."""

    code: str
    title: str
    start: float
    end: float


class Mark(Struct, frozen=True, kw_only=True):
    """A moment to jump to, or a stretch up to `until`. `label` is a note, a kind of signal, or empty; `word` is what a
    note is known by where it is to be hidden."""

    kind: MarkKind
    at: float
    until: float | None
    participant: str
    side: Side
    label: str
    word: str = ""


class Lane(Struct, frozen=True):
    """When a participant was heard, an estimate from microphone levels."""

    participant: str
    side: Side
    spans: tuple[tuple[float, float], ...]


class Timeline(Struct, frozen=True, kw_only=True):
    """`started_at` is the Unix time of lesson second 0. `live`: the lesson goes on and the timeline grows."""

    session: str
    started_at: float
    duration: float
    live: bool
    views: tuple[View, ...]
    chapters: tuple[Chapter, ...]
    marks: tuple[Mark, ...]
    talk: tuple[Lane, ...]


def build_timeline(
    recording: Recording, journal: Iterable[Record], now: float, durations: Mapping[str, float] | None = None
) -> Timeline:
    """The timeline as of the Unix time `now`. `durations`: seconds of growing segments by their fragment index."""
    events = [(record.at, record.event) for record in journal]
    zero = recording.started_at or next((at for at, event in events if event.get("type") == "session_live"), 0.0)
    ended = next((at for at, event in reversed(events) if event.get("type") == "session_ended"), None)
    live = recording.finished_at is None and ended is None
    segments = [_placed(facts, durations or {}, now - zero) for facts in recording.segments]
    ends = [segment.start + segment.duration for segment in segments]
    if live:
        ends.append(now - zero)
    if ended is not None:
        ends.append(ended - zero)
    if recording.finished_at is not None:
        ends.append(recording.finished_at)
    duration = max([0.0, *ends])
    people = _People(recording, events)
    lesson = [(at - zero, event) for at, event in events]
    return Timeline(
        session=recording.session,
        started_at=zero,
        duration=duration,
        live=live,
        views=_views(recording, segments, people, duration),
        chapters=_chapters(lesson, people, duration),
        marks=_marks(events, zero, people, duration),
        talk=tuple(
            Lane(participant, people.side(participant), spans)
            for participant, spans in talk_lanes(lesson, zero, duration).items()
        ),
    )


class _People:
    """Who is who: from the journal's arrivals, and the sides from the manifest."""

    def __init__(self, recording: Recording, events: Iterable[tuple[float, Mapping[str, Any]]]) -> None:
        self._joined = {str(event.get("participant")): event for _, event in events if event.get("type") == "joined"}
        self._sides: dict[str, Side] = {
            entry.participant: "host" if entry.side == "host" else "member" for entry in recording.participants
        }
        hosts = [event for event in self._joined.values() if event.get("role") == "host"]
        self._host_units = {entry.unit for entry in recording.participants if entry.side == "host"}
        self._host_units |= {str(event.get("unit")) for event in hosts}

    def side(self, participant: str) -> Side:
        known = self._sides.get(participant)
        if known is not None:
            return known
        return "host" if self.word(participant, "unit") in self._host_units else "member"

    def word(self, participant: str, field: str) -> str:
        """A field of the participant's arrival, empty when unknown."""
        return str(self._joined.get(participant, {}).get(field, ""))


def _placed(facts: SegmentFacts, durations: Mapping[str, float], now: float) -> TimelineSegment:
    opened, ended = facts.opened, facts.ended
    duration = ended.duration if ended is not None else durations.get(facts.id, max(0.0, now - opened.started_at))
    return TimelineSegment(facts.id, opened.started_at, duration, opened.video, opened.audio, ended is None)


def _views(recording: Recording, segments: list[TimelineSegment], people: _People, duration: float) -> tuple[View, ...]:
    by_view: dict[tuple[str, str], list[tuple[SegmentFacts, TimelineSegment]]] = {}
    for participant in recording.participants:
        named = [
            facts.opened.source
            for facts in recording.segments
            if facts.opened.participant == participant.participant and facts.opened.source
        ]
        by_view[participant.participant, named[0] if named else ""] = []
    for facts, segment in zip(recording.segments, segments, strict=True):
        who = facts.opened.participant
        # A microphone that was there before its camera is heard in the camera's view.
        source = facts.opened.source or next((source for name, source in by_view if name == who), "")
        if segment.duration > 0:
            by_view.setdefault((who, source), []).append((facts, segment))
    entries = {entry.participant: entry for entry in recording.participants}
    views = [
        _view(entries[who], source, placed, people, duration)
        for (who, source), placed in by_view.items()
        if who in entries
    ]
    return tuple(sorted(views, key=lambda view: view.side != "host"))


def _view(
    entry: Participant,
    source: str,
    placed: list[tuple[SegmentFacts, TimelineSegment]],
    people: _People,
    duration: float,
) -> View:
    placed = sorted(placed, key=lambda pair: pair[1].start)
    seen = [pair for pair in placed if pair[1].video] or placed
    covered: list[tuple[float, float]] = []
    for facts, segment in seen:
        at = segment.start
        for start, end in facts.ended.gaps if facts.ended is not None else ():
            covered.append((at, segment.start + start))
            at = segment.start + end
        covered.append((at, segment.start + segment.duration))
    return View(
        participant=entry.participant,
        source=source,
        side=people.side(entry.participant),
        unit=entry.unit,
        unit_name=people.word(entry.participant, "unitName") or entry.title,
        name=people.word(entry.participant, "name") or entry.title,
        class_name=people.word(entry.participant, "className"),
        consent=entry.consent,
        codec=entry.codec,
        segments=tuple(segment for _, segment in placed),
        gaps=_holes(covered, duration),
    )


def _holes(covered: list[tuple[float, float]], duration: float) -> tuple[tuple[float, float], ...]:
    """What the spans leave uncovered between the first one's start and `duration`."""
    holes: list[tuple[float, float]] = []
    reached: float | None = None
    for start, end in sorted(covered):
        if reached is not None and start - reached > NOTABLE_GAP:
            holes.append((reached, start))
        reached = end if reached is None else max(reached, end)
    if reached is not None and duration - reached > NOTABLE_GAP:
        holes.append((reached, duration))
    return tuple(holes)


def _chapters(
    lesson: Iterable[tuple[float, Mapping[str, Any]]], people: _People, duration: float
) -> tuple[Chapter, ...]:
    starts: list[tuple[float, str, str]] = [(0.0, "lesson", "")]
    before_call: tuple[str, str] = ("lesson", "")
    for at, event in lesson:
        kind = event.get("type")
        if kind in ("material_opened", "material_closed"):
            title = str(event.get("material", {}).get("title", ""))
            before_call = ("material", title) if kind == "material_opened" else ("lesson", "")
            if at <= 0:
                starts[0] = (0.0, *before_call)  # it was open before the lesson began
            else:
                starts.append((at, *before_call))
        elif kind in _CHAPTERS:
            before_call = (_CHAPTERS[kind], str(event.get("title", "")))
            starts.append((at, *before_call))
        elif kind == "called_on":
            who = str(event.get("participant"))
            starts.append((at, "call", people.word(who, "unitName") or people.word(who, "name")))
        elif kind == "call_ended":
            starts.append((at, *before_call))
    chapters: list[Chapter] = []
    begun = [start for start in starts if 0 <= start[0] < duration]
    following = [at for at, _, _ in begun[1:]] + [duration]
    for (at, code, title), end in zip(begun, following[: len(begun)], strict=True):
        last = chapters[-1] if chapters else None
        if last is not None and (end - at < SHORTEST_CHAPTER or (last.code, last.title) == (code, title)):
            chapters[-1] = Chapter(last.code, last.title, last.start, end)
        else:
            chapters.append(Chapter(code, title, at, end))
    return tuple(chapters)


def _marks(
    events: Iterable[tuple[float, Mapping[str, Any]]], zero: float, people: _People, duration: float
) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    pending: dict[tuple[MarkKind, str], float] = {}

    def add(kind: MarkKind, at: float, who: str, until: float | None = None, label: str = "", word: str = "") -> None:
        if at <= duration and (at >= 0 or (until is not None and until > 0)):
            side = people.side(who)
            mark = Mark(kind=kind, at=max(0.0, at), until=until, participant=who, side=side, label=label, word=word)
            marks.append(mark)

    def end(kind: MarkKind, at: float, who: str) -> None:
        begun = pending.pop((kind, who), None)
        if begun is not None:
            add(kind, begun, who, min(at, duration))

    for moment, event in events:
        at, who = moment - zero, str(event.get("participant", ""))
        match event.get("type"):
            case "marked" | "mark":
                # by the journal's own time: the zero is another one once the recording is deleted
                add("mark", at, who, label=str(event.get("note", "")), word=word_of_note(who, moment))
            case "hand_raised":
                add("hand", at, who)
            case "called_on":
                pending["call", who] = at
            case "call_ended":
                end("call", at, who)
            case "signalled" | "signal" if event.get("kind") not in _NOT_MARKED:
                add("signal", at, who, label=str(event.get("kind", "")))
            case "reconnecting":
                pending["dropout", who] = at
            case "left" if event.get("reason") == "lost":
                pending.setdefault(("dropout", who), at)
            case "left":
                pending.pop(("dropout", who), None)
            case "returned" | "joined":
                end("dropout", at, who)
    for kind, who in list(pending):
        end(kind, duration, who)
    return tuple(sorted(marks, key=lambda mark: (mark.at, mark.kind, mark.participant)))
