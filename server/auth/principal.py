"""Who asks: a signed-in person or a paired room, as the policy sees them."""

from typing import Literal

from msgspec import Struct

from server.shapes.people import Grant


class Principal(Struct, frozen=True, kw_only=True):
    """The authenticated asker of one request. A paired room has no grants; what it may do follows from the table."""

    kind: Literal["person", "room"]
    id: str
    name: str
    unit: str | None
    teacher: str | None = None
    """Id in the register, where the person is one of its teachers."""
    grants: tuple[Grant, ...] = ()
    demo: bool = False
    pairing: str = ""
    """Of a room: the pairing of the panel that asks; another panel of the same room has another."""

    def has(self, *roles: str) -> bool:
        """Whether any grant names one of `roles`, wherever it reaches."""
        return any(grant.role in roles for grant in self.grants)
