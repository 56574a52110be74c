"""RTP is read in order, across wraps and holes, and nothing a sender invents does harm."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.errors import MalformedPayload
from recordings.rtp import MAX_ACCESS_UNIT, AccessUnit, H264Depacketizer, Reorder, Unwrap, opus_samples
from tests.recorded_media import camera, microphone, packetize, units


def _depacketize(depacketizer: H264Depacketizer, timestamp: int, annex_b: bytes) -> list[AccessUnit]:
    payloads = packetize(annex_b)
    return [
        unit
        for place, payload in enumerate(payloads)
        for unit in depacketizer.push(timestamp, place == len(payloads) - 1, payload)
    ]


@given(st.lists(st.integers(-(2**14), 2**14), max_size=50), st.integers(0, 65_535))
def test_unwrap_follows_steps_in_both_directions(steps: list[int], start: int) -> None:
    unwrap = Unwrap(16)
    true = unwrap(start)
    for step in steps:
        true += step
        assert unwrap(true % 65_536) == true


def test_unwrap_near_does_not_move_on() -> None:
    unwrap = Unwrap(16)
    assert unwrap(65_530) == 65_530
    assert unwrap.near(4) == 65_540
    assert unwrap(65_535) == 65_535


@given(st.integers(0, 65_535), st.integers(1, 300), st.randoms(use_true_random=False))
def test_reorder_restores_the_order_of_shuffled_neighbours(start: int, count: int, random: Random) -> None:
    order = sorted(range(1, count), key=lambda number: number + random.uniform(0, 20))
    reorder: Reorder[int] = Reorder(window=64, patience=1e9)
    seen = [packet for number in [0, *order] for packet in reorder.push(start + number, 0.0, number)]
    assert seen == list(range(count))


def test_reorder_gives_up_a_hole_by_count_and_by_time() -> None:
    reorder: Reorder[int] = Reorder(window=4, patience=0.5)
    assert reorder.push(10, 0.0, 10) == [10]
    assert reorder.push(12, 0.1, 12) == []
    assert reorder.push(12, 0.1, 12) == []
    assert reorder.push(13, 0.2, 13) == []
    assert reorder.overdue(0.5) == []
    assert reorder.overdue(0.61) == [None, 12, 13]
    assert [reorder.push(number, 0.7, number) for number in (15, 16, 17)] == [[], [], []]
    assert reorder.push(18, 0.7, 18) == [None, 15, 16, 17, 18]
    assert reorder.push(14, 0.8, 14) == []
    assert reorder.push(20, 0.8, 20) == []
    assert reorder.drain() == [None, 20]


def test_reorder_follows_a_sender_that_starts_its_numbers_anew() -> None:
    reorder: Reorder[int] = Reorder(window=4)
    assert reorder.push(30_000, 0.0, 0) == [0]
    seen = [packet for number in range(100, 110) for packet in reorder.push(number, 0.1, number)]
    assert seen == [None, 104, 105, 106, 107, 108, 109]


def test_reorder_follows_numbers_that_leap_ahead_at_once() -> None:
    reorder: Reorder[int] = Reorder()
    assert reorder.push(7, 0.0, 7) == [7]
    assert reorder.push(9, 0.0, 9) == []
    assert reorder.push(131_080, 0.1, 0) == [None, 9, None, 0]
    assert reorder.push(131_081, 0.1, 1) == [1]


@given(st.lists(st.tuples(st.integers(0, 65_535), st.floats(0, 1e6)), max_size=400))
def test_reorder_holds_no_more_than_its_window(packets: list[tuple[int, float]]) -> None:
    reorder: Reorder[int] = Reorder(window=16)
    pushed = returned = 0
    for sequence, arrival in packets:
        pushed += 1
        returned += sum(1 for packet in reorder.push(sequence, arrival, sequence) if packet is not None)
        assert len(reorder) < 16
    assert returned <= pushed


def test_h264_comes_out_as_it_went_in() -> None:
    depacketizer = H264Depacketizer()
    pictures = camera(3)
    found = [
        unit for number, picture in enumerate(pictures) for unit in _depacketize(depacketizer, number, picture.data)
    ]
    assert [unit.timestamp for unit in found] == list(range(len(pictures)))
    assert [unit.keyframe for unit in found] == [picture.keyframe for picture in pictures]
    assert [units(unit.data) for unit in found] == [units(picture.data) for picture in pictures]
    assert {unit.parameters for unit in found if unit.keyframe} == {
        b"".join(b"\0\0\0\1" + unit for unit in units(pictures[0].data)[:2])
    }


def test_h264_without_markers_is_cut_by_time_stamps() -> None:
    depacketizer = H264Depacketizer()
    found = [
        unit.timestamp
        for number, picture in enumerate(camera(3)[:5])
        for payload in packetize(picture.data)
        for unit in depacketizer.push(number, False, payload)
    ]
    assert found == [0, 1, 2, 3]


def test_h264_waits_after_a_hole_for_the_next_keyframe() -> None:
    depacketizer = H264Depacketizer()
    pictures = camera(6)
    keys = [number for number, picture in enumerate(pictures) if picture.keyframe]
    found = []
    for number, picture in enumerate(pictures):
        if number == keys[1] - 5:
            depacketizer.hole()
            assert depacketizer.waiting
            continue
        found += [unit.timestamp for unit in _depacketize(depacketizer, number, picture.data)]
    assert found == [*range(keys[1] - 5), *range(keys[1], len(pictures))]


def test_h264_takes_a_keyframe_right_after_a_hole() -> None:
    depacketizer = H264Depacketizer()
    depacketizer.hole()
    assert [unit.keyframe for unit in _depacketize(depacketizer, 1, camera(3)[0].data)] == [True]


def test_h264_does_not_take_a_keyframe_without_its_beginning() -> None:
    depacketizer = H264Depacketizer()
    picture = camera(3)[0].data
    assert _depacketize(depacketizer, 0, picture)
    depacketizer.hole()
    payloads = packetize(picture)[2:]
    for place, payload in enumerate(payloads):
        try:
            assert depacketizer.push(1, place == len(payloads) - 1, payload) == []
        except MalformedPayload:
            continue
    assert depacketizer.waiting


@pytest.mark.parametrize(
    "payload",
    [
        bytes((0, 1)),
        bytes((30, 1)),
        bytes((25, 0, 0, 1)),
        b"\x78\x00\x09abc",
        b"\x78\x00\x00",
        b"\x78\x00",
        bytes((28, 0x85)),
        bytes((28, 0x05, 1)),
        bytes((28, 0xC5, 1)),
        b"\x05",
    ],
)
def test_h264_refuses_what_the_payload_format_does_not_allow(payload: bytes) -> None:
    depacketizer = H264Depacketizer()
    with pytest.raises(MalformedPayload):
        depacketizer.push(0, True, payload)
    assert depacketizer.waiting


def test_h264_gives_up_a_picture_that_never_ends() -> None:
    depacketizer = H264Depacketizer()
    depacketizer.push(0, False, bytes((28, 0x85)) + bytes(1000))
    middle = bytes((28, 0x05)) + bytes(1000)
    for _ in range((MAX_ACCESS_UNIT - 1002) // len(middle)):
        assert depacketizer.push(0, False, middle) == []
    with pytest.raises(MalformedPayload):
        depacketizer.push(0, False, middle)


_PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.tuples(
        st.sampled_from([b"\x7c\x85", b"\x7c\x05", b"\x7c\x45", b"\x78\x00\x04", b"\x65", b"\x67", b"\x68"]),
        st.binary(max_size=30),
    ).map(b"".join),
)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.none() | _PAYLOADS), max_size=120))
def test_h264_survives_any_payload(packets: list[tuple[int, bool, bytes | None]]) -> None:
    depacketizer = H264Depacketizer()
    for timestamp, marker, payload in packets:
        if payload is None:
            depacketizer.hole()
            continue
        try:
            found = depacketizer.push(timestamp, marker, payload)
        except MalformedPayload:
            assert depacketizer.waiting
            continue
        for unit in found:
            assert unit.data.startswith(b"\0\0\0\1")
            assert bool(unit.parameters) == unit.keyframe


def test_opus_durations_follow_the_first_byte() -> None:
    assert {opus_samples(packet) for packet in microphone(1)} == {960}
    assert opus_samples(bytes((0xFC, 0xFF, 0xFE))) == 960
    assert [opus_samples(bytes((config << 3,))) for config in (0, 1, 2, 3, 12, 13, 16, 31)] == [
        480, 960, 1920, 2880, 480, 960, 120, 960,
    ]  # fmt: skip
    assert opus_samples(bytes((31 << 3 | 2,))) == 1920
    assert opus_samples(bytes((31 << 3 | 3, 6))) == 5760
    for payload in (b"", bytes((3,)), bytes((3, 0)), bytes((31 << 3 | 3, 7))):
        with pytest.raises(MalformedPayload):
            opus_samples(payload)
