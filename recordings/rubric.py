"""This module owns the rubric: what a lesson is scored by, and what a sum of points means.

A score keeps the rubric it was given under, so changing the rubric (a new version) never changes an old score.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from recordings.errors import InvalidEntry


class Criterion(Struct, frozen=True):
    """One line of the rubric: the most points it gives, and its text in both languages."""

    id: str
    points: int
    title_zh: str
    title_en: str


class Rubric(Struct, frozen=True):
    """`bands` are the least percentages of all but the last band, best first; bands are named by their place."""

    id: str
    version: int
    criteria: tuple[Criterion, ...]
    bands: tuple[int, ...] = (90, 80, 70, 60)

    @property
    def points(self) -> int:
        """The most that a lesson can get."""
        return sum(criterion.points for criterion in self.criteria)

    def total(self, points: Mapping[str, int]) -> int:
        """The sum of one person's points. Raises InvalidEntry unless each criterion has from 0 to all of its points."""
        known = {criterion.id for criterion in self.criteria}
        for id in points:
            if id not in known:
                raise InvalidEntry(f"points.{id}", "unknown_criterion")
        for criterion in self.criteria:
            if criterion.id not in points:
                raise InvalidEntry(f"points.{criterion.id}", "missing")
            if not 0 <= points[criterion.id] <= criterion.points:
                raise InvalidEntry(f"points.{criterion.id}", "out_of_range")
        return sum(points.values())

    def band(self, total: int) -> str:
        """`band_1` for the best: the total's percentage against the bands' lower limits."""
        place = next(
            (place for place, least in enumerate(self.bands) if total * 100 >= least * self.points), len(self.bands)
        )
        return f"band_{place + 1}"


DEFAULT_RUBRIC = Rubric(
    "default",
    1,
    (
        Criterion("goals", 10, "教学目标", "Goals"),
        Criterion("content", 15, "教学内容", "Content"),
        Criterion("process", 10, "教学过程", "Process"),
        Criterion("teacher", 20, "教师表现", "Teacher"),
        Criterion("pupils", 35, "学生状态", "Pupils' state"),
        Criterion("result", 10, "教学效果", "Result"),
    ),
)
