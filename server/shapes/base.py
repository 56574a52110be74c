"""The base of HTTP bodies: immutable, camelCase outside, unknown fields of requests refused."""

from msgspec import Struct


class Body(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of every request and reply body."""
