"""The exercises that teachers prepared for a lesson: one list for each lesson, replaced as a whole."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Double, Integer, Table, Text, insert, select, update

from server.storage.database import Database, metadata
from signaling.exercises import Exercise

lesson_exercises = Table(
    "lesson_exercises",
    metadata,
    Column("lesson", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("body", Text, nullable=False),
)


class Prepared(Struct, frozen=True, kw_only=True):
    """`revision` counts the changes; 0: nobody has prepared anything yet."""

    revision: int = 0
    changed_by: str = ""
    changed_at: float = 0.0
    exercises: tuple[Exercise, ...] = ()


class SqlExerciseStore:
    """On SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, lesson: str) -> Prepared:
        query = select(lesson_exercises).where(lesson_exercises.c.lesson == lesson)
        row = await self._database.read(lambda c: c.execute(query).one_or_none())
        if row is None:
            return Prepared()
        return Prepared(
            revision=row.revision,
            changed_by=row.changed_by,
            changed_at=row.changed_at,
            exercises=msgspec.json.decode(row.body, type=tuple[Exercise, ...]),
        )

    async def replace(self, lesson: str, expected: int, prepared: Prepared) -> int | None:
        """Put a new list in the place of revision `expected`; None when it was done, otherwise the revision that stands
        instead."""
        values = {
            "revision": expected + 1,
            "changed_by": prepared.changed_by,
            "changed_at": prepared.changed_at,
            "body": msgspec.json.encode(prepared.exercises).decode(),
        }
        of_lesson = lesson_exercises.c.lesson == lesson

        def body(connection: Connection) -> int | None:
            stands = connection.execute(select(lesson_exercises.c.revision).where(of_lesson)).scalar()
            if (stands or 0) != expected:
                return stands or 0
            if stands is None:
                connection.execute(insert(lesson_exercises).values(lesson=lesson, **values))
            else:
                connection.execute(update(lesson_exercises).where(of_lesson).values(**values))
            return None

        return await self._database.write(body)
