"""What the demonstration's teacher prepared to ask: one exercise of each kind about the demo lesson's subject."""

from __future__ import annotations

from server.storage.exercise_store import Prepared, SqlExerciseStore
from signaling.exercises import Exercise

EXERCISES = (
    Exercise(kind="choice", prompt="入射角是 35°，反射角是多少度？", options=("35°", "55°", "70°"), right=0),
    Exercise(kind="number", prompt="光线垂直射到镜面上，入射角是多少度？", number=0.0),
    Exercise(kind="text", prompt="法线和镜面是什么关系？用一句话说。"),
    Exercise(kind="photo", prompt="在练习本上画出这条光线的反射光线，标出法线。"),
)


async def prepare(store: SqlExerciseStore, lesson: str, teacher: str, now: float) -> None:
    """Prepare them once; what somebody changed since stays."""
    if (await store.of(lesson)).revision == 0:
        await store.replace(lesson, 0, Prepared(changed_by=teacher, changed_at=now, exercises=EXERCISES))
