"""This module owns who a participant is: from the asker, the plan and a role to the claims of a join token, and from
those to the event of coming in."""

from __future__ import annotations

from msgspec.structs import replace

from signaling.events import Joined
from signaling.plan import SessionPlan, UnitPart
from signaling.roles import HIDDEN, Asker
from signaling.tokens import Audience, Claims
from signaling.wire import Role


def claims_for(
    asker: Asker, plan: SessionPlan, role: Role, *, aud: Audience, exp: float, jti: str, access: str = ""
) -> Claims:
    """The claims that let `asker` into the session as `role`. A classroom's participant id is its room's id."""
    part = _part(asker, plan, role)
    claims = Claims(
        aud=aud,
        session=plan.session,
        participant=asker.id if role == "endpoint" else f"{role}.{asker.id}",
        role=role,
        unit=part.unit if part else asker.unit or "",
        unit_name=part.unit_name if part else "",
        name=asker.name,
        exp=exp,
        jti=jti,
        access=access,
    )
    if part is None or role in HIDDEN:
        return claims
    name = part.room_name if role == "endpoint" else asker.name
    return replace(claims, name=name, class_name=part.class_name, room=part.room, phone=part.phone)


def encoder_claims(plan: SessionPlan, *, exp: float, jti: str) -> Claims:
    """The claims of the host classroom's encoder (录播主机), which publishes by WHIP into any session of the lesson."""
    host = plan.host
    return Claims(
        aud="rtc",
        session=plan.lesson.id,
        participant=f"encoder.{host.unit}",
        role="encoder",
        unit=host.unit,
        unit_name=host.unit_name,
        name=host.room_name,
        class_name=host.class_name,
        exp=exp,
        jti=jti,
    )


def camera_claims(plan: SessionPlan, part: UnitPart, *, exp: float, jti: str) -> Claims:
    """The claims of a classroom's own camera, which the server pulls itself into this session."""
    return Claims(
        aud="rtc",
        session=plan.session,
        participant=part.camera,
        role="encoder",
        unit=part.unit,
        unit_name=part.unit_name,
        name=part.room_name,
        class_name=part.class_name,
        room=part.room,
        exp=exp,
        jti=jti,
    )


def player_claims(plan: SessionPlan, *, exp: float, jti: str) -> Claims:
    """The claims of a program that watches any session of the lesson by WHEP, unseen by the rooms."""
    return Claims(
        aud="rtc",
        session=plan.lesson.id,
        participant=f"observer.{jti}",
        role="observer",
        unit="",
        unit_name="",
        name="WHEP",
        exp=exp,
        jti=jti,
    )


def guest_claims(plan: SessionPlan, *, exp: float, jti: str) -> Claims:
    """The claims of a link by which a person of the county may watch any session of the lesson."""
    return Claims(
        aud="guest",
        session=plan.lesson.id,
        participant="",
        role="observer",
        unit="",
        unit_name="",
        name="",
        exp=exp,
        jti=jti,
    )


def arrival_of(claims: Claims) -> Joined:
    """The event of this participant's coming in."""
    return Joined(
        participant=claims.participant,
        role=claims.role,
        unit=claims.unit,
        unit_name=claims.unit_name,
        name=claims.name,
        class_name=claims.class_name,
        room=claims.room,
        phone=claims.phone,
        hidden=claims.role in HIDDEN,
    )


def _part(asker: Asker, plan: SessionPlan, role: Role) -> UnitPart | None:
    if role == "endpoint":
        return plan.part_in(asker.id)
    if role in ("host", "encoder"):
        return plan.host
    units = [asker.unit, *(grant.unit for grant in asker.grants)]
    taking_part = plan.members if role == "assistant" else plan.parts
    return next((part for unit in units for part in taking_part if part.unit == unit), None)
