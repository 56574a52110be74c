"""Errors of the media plane. This module owns their stable codes; whoever speaks HTTP or WebSocket maps them."""

from __future__ import annotations

from typing import ClassVar


class MediaError(Exception):
    """Something the caller asked for cannot be done; nothing has changed."""

    code: ClassVar[str] = "media_error"


class BadOffer(MediaError):
    """The session description (or the ICE fragment) cannot be read or breaks a rule this server insists on."""

    code = "bad_offer"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NothingAcceptable(MediaError):
    """The offer is well-formed, but there is no direction, transport or codec in it that this server shares."""

    code = "nothing_acceptable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownResource(MediaError):
    """No peer has this resource id (any more)."""

    code = "unknown_resource"

    def __init__(self, resource: str) -> None:
        super().__init__(resource)
        self.resource = resource


class UnknownTrack(MediaError):
    """The session has no track of this id, or it is of another kind than the slot it is wanted in."""

    code = "unknown_track"

    def __init__(self, track: str) -> None:
        super().__init__(track)
        self.track = track


class UnknownSlot(MediaError):
    """The participant's subscription has no slot of this mid."""

    code = "unknown_slot"

    def __init__(self, mid: str) -> None:
        super().__init__(mid)
        self.mid = mid


class IceSessionUnnamed(MediaError):
    """Candidates or a restart of an ICE session must say which one is meant."""

    code = "ice_session_unnamed"


class IceSessionChanged(MediaError):
    """The ICE session that is meant has been restarted meanwhile."""

    code = "ice_session_changed"
