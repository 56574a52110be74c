"""The day of one remote room: what its panel shows when idle, and the session that it should be in now."""

from collections.abc import Iterable, Sequence

from server.county import County
from server.shapes.live import RoomDay, RoomLesson
from server.today import lesson_title
from signaling.plan import SessionRecord
from signaling.wire import SessionState
from timetable.days.standing import Standing
from timetable.model import SHARED_KINDS
from timetable.term import local_date

RUNNING: tuple[SessionState, ...] = ("open", "live", "overrun")


def room_day(
    county: County,
    room_id: str,
    *,
    standings: Iterable[Standing],
    sessions: Sequence[SessionRecord],
    now: float,
    prefer_rehearsal: bool = False,
) -> RoomDay:
    """`standings` are what the tables and their amendments have today, `sessions` today's and every unfinished
    rehearsal. A lesson that is live goes before one that overruns, that before one that is open, and
    a lesson before a rehearsal, unless the room is there for rehearsals (the demonstration)."""
    room = county.room(room_id)
    unit = county.unit(room.unit)
    today = local_date(now)
    by_occurrence = {record.plan.occurrence: record for record in sessions if record.plan.occurrence}
    rows = []
    for standing in standings:
        occurrence = standing.occurrence
        if occurrence.lesson.kind not in SHARED_KINDS or all(party.room != room_id for party in occurrence.parties):
            continue
        record = by_occurrence.get(occurrence.id)
        rows.append(
            RoomLesson(
                occurrence=occurrence.id,
                title=lesson_title(county, occurrence.lesson),
                subject=occurrence.lesson.subject,
                kind=occurrence.lesson.kind,
                start=occurrence.lesson.start,
                end=occurrence.lesson.end,
                starts=occurrence.starts,
                ends=occurrence.ends,
                host_name=county.unit_name(occurrence.parties[0].unit),
                session=record.id if record else None,
                state=record.state if record else "scheduled",
                cancelled=standing.cancelled,
            )
        )
    joined = _to_join(room_id, sessions, prefer_rehearsal)
    part = joined.plan.part_in(room_id) if joined else None
    classes = part.classes if part else ()
    return RoomDay(
        room=room.id,
        room_name=room.name,
        unit=unit.id,
        unit_name=unit.name,
        class_name=part.class_name if part else "",
        date=today.isoformat(),
        server_time=now,
        lessons=tuple(rows),
        join=joined.id if joined else None,
        recording_consent=county.agreed(classes),
        phone=unit.phone,
        listen_only=room.listen_only,
    )


def _to_join(room: str, sessions: Sequence[SessionRecord], prefer_rehearsal: bool) -> SessionRecord | None:
    """The running session that the room belongs to as a member; the host's room has the host's page."""
    running = [
        record
        for record in sessions
        if record.state in RUNNING and any(part.room == room for part in record.plan.members)
    ]
    running.sort(
        key=lambda record: (
            (record.kind == "rehearsal") != prefer_rehearsal,
            record.state == "open",
            record.state == "overrun",
            record.plan.lesson.starts,
        )
    )
    return running[0] if running else None
