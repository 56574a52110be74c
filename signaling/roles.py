"""This module owns who may be what in a session, and what each role may ask of the room. Two tables, no exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from signaling.chat import Say
from signaling.commands import (
    CallOn,
    EndCall,
    EndLesson,
    Leave,
    LowerHand,
    Mark,
    Mute,
    Publish,
    RaiseHand,
    ReportDevices,
    SetTimer,
    Signal,
    Spotlight,
    StartLesson,
    Subscribe,
    Switch,
    TakeAttendance,
)
from signaling.exercises import (
    AddPhoto,
    Answer,
    CloseExercise,
    CountHands,
    PushExercise,
    PutAwayExercise,
    RemovePhoto,
    ShowResult,
)
from signaling.materials import CloseMaterial, OpenMaterial, TurnPage
from signaling.pictures import SelectSource
from signaling.plan import SessionPlan
from signaling.strokes import ClearPage, DrawStroke, EraseStroke, ExtendStroke
from signaling.wire import Command, Role

HIDDEN: frozenset[Role] = frozenset({"observer", "patrol"})
"""They watch in silence; the rooms are not shown who they are."""

WATCH: frozenset[type[Command]] = frozenset({Leave, Subscribe, Switch})

SHOW: frozenset[type[Command]] = frozenset({OpenMaterial, TurnPage, CloseMaterial})
DRAW: frozenset[type[Command]] = frozenset({DrawStroke, ExtendStroke, EraseStroke, ClearPage})
ASK: frozenset[type[Command]] = frozenset({PushExercise, CloseExercise, ShowResult, PutAwayExercise})
ANSWER: frozenset[type[Command]] = frozenset({Answer, CountHands, AddPhoto, RemovePhoto})
TALK: frozenset[type[Command]] = frozenset({Say})
SEND: frozenset[type[Command]] = frozenset({Publish, ReportDevices})
LEAD: frozenset[type[Command]] = frozenset(
    {StartLesson, EndLesson, LowerHand, CallOn, EndCall, Spotlight, Mute, Mark, SetTimer, TakeAttendance, SelectSource}
)

MAY: dict[Role, frozenset[type[Command]]] = {
    "host": WATCH | DRAW | SHOW | ASK | ANSWER | LEAD | TALK | SEND,
    "assistant": WATCH
    | DRAW
    | ANSWER
    | TALK
    | {StartLesson, EndLesson, RaiseHand, LowerHand, Mute, Mark, Signal, TakeAttendance, SelectSource},
    "endpoint": WATCH | DRAW | ANSWER | SEND | {RaiseHand, LowerHand, Mute, Mark, Signal, TakeAttendance, SelectSource},
    "encoder": frozenset({Leave, Publish}),
    "observer": WATCH | TALK,
    "patrol": WATCH,
}
"""What each role may command at all; how far it reaches (whose hand, whose microphone) the room decides."""


WATCHING_OFFICES = ("researcher", "principal", "academic_director", "convenor")
"""Whose office it is to watch lessons."""


class Reach(Protocol):
    """A person's grant: a role in a unit, in a community, or (both absent) in the county."""

    @property
    def role(self) -> str: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def community(self) -> str | None: ...


class Asker(Protocol):
    """The signed-in person or paired room that wants to join."""

    @property
    def kind(self) -> Literal["person", "room"]: ...
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def teacher(self) -> str | None: ...
    @property
    def grants(self) -> Sequence[Reach]: ...
    @property
    def pairing(self) -> str: ...


def roles_for(asker: Asker, plan: SessionPlan, *, guest: bool = False) -> tuple[Role, ...]:
    """Every role that the asker may take in the session, the one that fits best first.

    The lesson's own teacher hosts; in a substitution the host unit's academic director or the convenor may. Any teacher
    of a member unit may assist in its classroom. The lesson's own teachers, researchers and those who lead a school or
    the community watch by their office, the bureau patrols; everybody else only as the host's `guest`.
    """
    if asker.kind == "room":
        return ("endpoint",) if any(part.room == asker.id for part in plan.members) else ()
    found: list[Role] = []
    if asker.teacher is not None and asker.teacher in plan.host.teachers:
        found.append("host")
    if any(_holds(asker, unit, plan, "teacher") for unit in plan.units[1:]):
        found.append("assistant")
    named = asker.teacher is not None and any(asker.teacher in part.teachers for part in plan.parts)
    if guest or named or any(_holds(asker, unit, plan, *WATCHING_OFFICES) for unit in plan.units):
        found.append("observer")
    if any(_holds(asker, unit, plan, "bureau_admin", "bureau_viewer") for unit in plan.units):
        found.append("patrol")
    if "host" not in found and _holds(asker, plan.host.unit, plan, "academic_director", "convenor"):
        found.append("host")
    if "assistant" not in found and any(_holds(asker, unit, plan, "academic_director") for unit in plan.units[1:]):
        found.append("assistant")
    return tuple(found)


def is_peer(asker: Asker, plan: SessionPlan) -> bool:
    """Whether the asker teaches at a school that takes part: whom the host may let watch without naming anybody."""
    return asker.kind == "person" and any(_holds(asker, unit, plan, "teacher") for unit in plan.units)


def _holds(asker: Asker, unit: str, plan: SessionPlan, *roles: str) -> bool:
    return any(
        grant.role in roles
        and (
            grant.unit == unit
            if grant.unit is not None
            else grant.community is None or grant.community == plan.community
        )
        for grant in asker.grants
    )
