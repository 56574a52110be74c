"""This module owns the changes that can be asked for after publication, and how their refusals are named.

A change concerns one occurrence (`move swap substitute cancel make_up`), several lost lessons of one school
(`make_up_own`) or a lesson from a week on (`move_weekly swap_weekly`, which make the next version of the table), or
takes an earlier amendment back (`undo`).
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from timetable.model import Id, IsoDate, Mode, Model, Weekday

CODES: Mapping[str, str] = {
    "amend_not_all_seasons": "bells change in mid-term, and a block's periods do not follow one another all term",
    "amend_past": "it has begun already",
    "amend_past_slot": "the time it would move to has passed",
    "amend_not_standing": "the lesson does not take place then",
    "amend_outside_term": "the date lies outside the term",
    "amend_no_school": "there is no school that day",
    "amend_no_change": "it stands there already",
    "amend_no_change_weekly": "it stands there every week already",
    "amend_same_lesson": "a lesson cannot change places with itself",
    "amend_other_community": "the lesson belongs to another community",
    "amend_not_theirs": "the absent teacher does not teach or supervise the lesson then",
    "amend_no_post": "the substitute has no post at the school, and the community's mode lends none",
    "amend_takes_place": "only a lesson that is called off can be made up",
    "amend_made_up": "the lesson is made up already",
    "amend_not_own": "the lesson is not one of the school's alone",
    "amend_not_applied": "that amendment does not count, or does not count any more",
    "amend_undo_lasting": "an undo of days, or a change of an older term, is taken back by making the change again",
    "amend_undo_moved": "a lesson has moved again since the lasting change that is to be taken back",
    "amend_undo_later": "a later amendment builds on it; take that one back first",
    "amend_waits": "a version that is published already counts from a later week",
    "amend_gone": "the table or the register does not have it any more",
    "amend_more_affected": "it would by now also change the day of schools that were not asked",
    "amend_teacher_week": "a teacher would have more lessons that week than agreed (a warning)",
}
"""Every code that this module reports beside those of the day book and the checker."""

OccurrenceId = Annotated[str, Meta(min_length=1, max_length=128)]
PeriodNumber = Annotated[int, Meta(ge=1, le=16)]

MOST_MADE_UP = 2000
"""Lost lessons of one school that are made up by one act: those of a big one in two weeks."""


class Move(Model, frozen=True, kw_only=True, tag_field="kind", tag="move"):
    """One occurrence stands on another date or in another period of its host."""

    occurrence: OccurrenceId
    date: IsoDate
    period: PeriodNumber


class Swap(Model, frozen=True, kw_only=True, tag_field="kind", tag="swap"):
    """Two occurrences change places."""

    occurrence: OccurrenceId
    other: OccurrenceId


class Substitute(Model, frozen=True, kw_only=True, tag_field="kind", tag="substitute"):
    """Somebody else takes a teacher's place in every occurrence of the lesson between two dates."""

    lesson: Id
    absent: Id
    substitute: Id
    first: IsoDate
    last: IsoDate


class Cancel(Model, frozen=True, kw_only=True, tag_field="kind", tag="cancel"):
    occurrence: OccurrenceId


class MakeUp(Model, frozen=True, kw_only=True, tag_field="kind", tag="make_up"):
    """An occurrence that was called off, or lost to a closed day, is held on another date."""

    occurrence: OccurrenceId
    date: IsoDate
    period: PeriodNumber


class MakeUpPlace(Model, frozen=True, kw_only=True):
    """One lost lesson, and where it is held instead."""

    occurrence: OccurrenceId
    date: IsoDate
    period: PeriodNumber


class MakeUpOwn(Model, frozen=True, kw_only=True, tag_field="kind", tag="make_up_own"):
    """Lost lessons that one school has by itself are held on other dates, all or none of them."""

    unit: Id
    lessons: Annotated[tuple[MakeUpPlace, ...], Meta(min_length=1, max_length=MOST_MADE_UP)]


class MoveWeekly(Model, frozen=True, kw_only=True, tag_field="kind", tag="move_weekly"):
    """The lesson stands in another slot from a date on; it counts from the first Monday that is not before it."""

    lesson: Id
    first: IsoDate
    weekday: Weekday
    period: PeriodNumber


class SwapWeekly(Model, frozen=True, kw_only=True, tag_field="kind", tag="swap_weekly"):
    """Two lessons change places from a date on; it counts from the first Monday that is not before it."""

    lesson: Id
    other: Id
    first: IsoDate


class Undo(Model, frozen=True, kw_only=True, tag_field="kind", tag="undo"):
    """Everything is again as if the amendment of that number had not been made; a lasting one is taken back from the
    next Monday on, by one version more."""

    amendment: Annotated[int, Meta(ge=1)]


Change = Move | Swap | Substitute | Cancel | MakeUp | MakeUpOwn | MoveWeekly | SwapWeekly | Undo

Lending = Literal["none", "asked", "pool"]
LENDING: Mapping[Mode, Lending] = {"merged": "pool", "co_built": "asked", "collaborative": "none"}
"""Whether a teacher may stand in where they have no post: never, when the home school agrees, always."""
