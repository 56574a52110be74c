"""A command's cause goes into the packed event as one more entry of its map, however large the map is."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from signaling.history import _with_cause


@given(st.dictionaries(st.text(min_size=6, max_size=12), st.integers(0, 9), min_size=0, max_size=40), st.text())
def test_cause_is_one_more_entry(fields: dict[str, int], msg_id: str) -> None:
    packed = _with_cause(msgspec.msgpack.encode(fields), ("room-1", msg_id))
    assert msgspec.msgpack.decode(packed) == {**fields, "cause": ["room-1", msg_id]}
