"""What a line is believed to carry."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.media.congestion import (
    BACKOFF,
    DRAINING,
    FLOOR,
    LASTED,
    LONGEST_BACKOFF,
    LONGEST_STILL,
    MOVES_FROM,
    START,
    Downlink,
    Uplink,
)


def sample(line: Downlink, now: float, *, loss: float = 0.0, **seen: Any) -> bool:
    calm = {"sent": 200_000, "video": 150_000, "rtt": 0.05, "remb": None}
    return line.sample(now, packets=200, lost=round(200 * loss), **(calm | seen))


def test_a_line_is_believed_to_carry_what_it_carries() -> None:
    line = Downlink()
    assert not sample(line, 1.0)
    assert line.rate == START
    assert not sample(line, 2.0, sent=1_400_000)
    assert line.rate == 1_400_000


def test_loss_of_a_radio_line_is_no_congestion() -> None:
    line = Downlink()
    assert not any(sample(line, float(t), loss=0.05) for t in range(60))
    assert line.rate == START


@pytest.mark.parametrize("seed", range(5))
def test_chance_among_few_packets_is_no_congestion(seed: int) -> None:
    """An hour of sound and a small picture on a line that loses one packet in twenty, each by itself."""
    line, random = Downlink(), Random(seed)
    for second in range(3600):
        lost = sum(random.random() < 0.05 for _ in range(40))
        assert not line.sample(float(second), sent=170_000, video=80_000, packets=40, lost=lost, rtt=0.05, remb=None)


def test_loss_among_few_packets_is_told_within_seconds() -> None:
    line = Downlink()
    cut = [
        line.sample(float(second), sent=170_000, video=80_000, packets=40, lost=12, rtt=0.05, remb=None)
        for second in range(6)
    ]
    assert any(cut)


def test_much_loss_cuts_to_what_gets_through() -> None:
    line = Downlink()
    assert sample(line, 1.0, sent=900_000, loss=0.6)
    assert line.rate == int(900_000 * 0.4 * 0.85)


def test_a_queue_that_lasts_cuts() -> None:
    line = Downlink()
    assert not sample(line, 1.0, sent=600_000)
    assert not sample(line, 2.0, sent=600_000, rtt=0.25)
    assert sample(line, 3.0, sent=600_000, rtt=0.30)
    assert line.rate == int(600_000 * 0.85)


def test_a_way_that_is_known_to_have_become_longer_is_no_queue() -> None:
    line = Downlink()
    for second in range(5):
        sample(line, float(second))
    line.longer(0.25)
    assert not any(sample(line, float(t), rtt=0.28) for t in range(5, 12))
    assert sample(line, 12.0, rtt=0.75)


def test_a_long_queue_cuts_at_once() -> None:
    line = Downlink()
    sample(line, 1.0)
    assert sample(line, 2.0, rtt=0.6)


def test_a_queue_on_the_way_up_is_another_lines() -> None:
    line = Downlink()
    sample(line, 1.0)
    assert not any(sample(line, float(t), rtt=0.5, upward=0.4) for t in range(2, 20))


def test_a_receiver_that_sees_its_queue_grow_is_believed() -> None:
    line = Downlink()
    assert not sample(line, 1.0, sent=400_000, video=350_000, remb=400_000)
    assert not sample(line, 2.0, sent=400_000, video=350_000, remb=340_000)  # one fall may be one large picture
    assert sample(line, 3.0, sent=400_000, video=350_000, remb=290_000)
    assert line.rate == int(400_000 * 0.85)


def test_one_fall_of_a_receivers_estimate_counts_with_a_queue_or_a_loss() -> None:
    for seen in ({"rtt": 0.12}, {"loss": 0.08}):
        line = Downlink()
        assert not sample(line, 1.0, remb=400_000, **({"loss": 0.08} if "loss" in seen else {}))
        assert sample(line, 2.0, remb=140_000, **seen)


def test_a_receivers_estimate_that_is_merely_low_means_nothing() -> None:
    line = Downlink()
    assert not any(sample(line, float(t), sent=900_000, video=850_000, remb=300_000 + t) for t in range(20))


def test_a_cut_is_not_repeated_while_the_old_queue_drains() -> None:
    line = Downlink()
    sample(line, 1.0)
    assert sample(line, 2.0, sent=900_000, rtt=0.6)
    rate = line.rate
    assert not sample(line, 2.0 + DRAINING / 2, sent=900_000, rtt=0.6)
    assert line.rate == rate


def test_a_rise_that_does_not_last_is_tried_again_later_and_later() -> None:
    line, now = Downlink(), 0.0
    waits = []
    for _ in range(6):
        while not line.wants_probe(1_000_000, now):
            now += 0.5
        begun = now
        line.probed(1_000_000, "carries", now)
        assert line.rate == 1_000_000
        now += DRAINING + 1
        assert sample(line, now, sent=900_000, loss=0.7)
        cut = now
        while not line.wants_probe(1_000_000, now):
            now += 0.5
        waits.append(now - cut)
        assert now > begun
    assert waits == sorted(waits)
    assert waits[0] <= 2 * BACKOFF + 1
    assert waits[-1] <= LONGEST_BACKOFF + 1


def test_a_rise_that_lasts_is_forgiven() -> None:
    line = Downlink()
    line.probed(1_000_000, "queues", 0.0)
    line.probed(1_000_000, "queues", 10.0)
    line.probed(1_000_000, "carries", 40.0)
    sample(line, 40.0 + LASTED + 1)
    assert sample(line, 70.0, sent=900_000, rtt=2.0)
    assert line.wants_probe(1_000_000, 70.0 + BACKOFF + 0.1)


def test_a_rise_that_falls_goes_back_to_what_was_there_and_is_tried_again_later() -> None:
    line = Downlink()
    sample(line, 1.0, sent=550_000)
    line.probed(1_000_000, "carries", 2.0)
    sample(line, 2.5, sent=900_000)  # more than it really carries: the queue takes it
    line.fell(3.0)
    assert (line.rate, line.limited) == (550_000, True)
    assert not sample(line, 4.0, rtt=0.6)  # the old queue drains
    assert not line.wants_probe(1_000_000, 3.0 + 2 * BACKOFF - 0.1)
    assert line.wants_probe(1_000_000, 3.0 + 2 * BACKOFF + 0.1)


def test_one_rise_that_is_taken_back_twice_is_one_failure() -> None:
    """A report and the watch over the rise may both see that it does not last."""
    line = Downlink()
    sample(line, 1.0, sent=550_000)
    line.probed(1_000_000, "carries", 2.0)
    sample(line, 3.1, sent=900_000)
    assert sample(line, 3.9, sent=900_000, rtt=0.6)
    line.fell(4.0)
    assert line.rate == 550_000
    assert line.wants_probe(1_000_000, 4.0 + 2 * BACKOFF + 0.1)


def test_bursts_that_showed_nothing_are_tried_again_as_soon_the_next_time() -> None:
    line = Downlink()
    for now in (0.0, 10.0, 20.0):
        line.probed(1_000_000, "unclear", now)
        assert line.rate == START
        assert not line.wants_probe(1_000_000, now + BACKOFF - 0.1)
        assert line.wants_probe(1_000_000, now + BACKOFF + 0.1)


def test_nothing_is_probed_that_the_line_carries_anyway() -> None:
    line = Downlink()
    assert not line.wants_probe(None, 1.0)
    assert not line.wants_probe(START, 1.0)
    assert line.wants_probe(START + 1, 1.0)


samples = st.fixed_dictionaries(
    {
        "sent": st.integers(0, 5_000_000),
        "video": st.integers(0, 5_000_000),
        "reported": st.integers(0, 2_000).flatmap(lambda packets: st.tuples(st.just(packets), st.integers(0, packets))),
        "rtt": st.one_of(st.none(), st.floats(0, 5)),
        "remb": st.one_of(st.none(), st.integers(0, 5_000_000)),
    }
)


@settings(max_examples=300)
@given(st.lists(samples, max_size=40))
def test_no_report_brings_the_estimate_out_of_bounds(seen: list[dict[str, Any]]) -> None:
    line = Downlink()
    for second, report in enumerate(seen):
        before = line.rate
        packets, lost = report.pop("reported")
        cut = line.sample(float(second), packets=packets, lost=lost, **report)
        assert line.rate >= FLOOR
        assert not cut or line.rate <= max(before, FLOOR)


def test_an_uplink_has_no_limit_until_it_meets_one_and_grows_back() -> None:
    line = Uplink()
    line.sample(1.0, received=1_000_000, packets=200, lost=10, queue=0.01, most=2_500_000)
    assert line.rate is None
    line.sample(1.5, received=400_000, packets=200, lost=0, queue=0.3, most=2_500_000)
    assert line.rate is None  # the server itself may have stood still
    line.sample(2.0, received=400_000, packets=200, lost=0, queue=0.3, most=2_500_000)
    assert line.rate == 340_000
    line.sample(3.0, received=340_000, packets=200, lost=0, queue=0.3, most=2_500_000)
    assert line.rate == 340_000  # the queue drains
    rates = []
    for second in range(5, 60):
        line.sample(float(second), received=300_000, packets=200, lost=0, queue=0.0, most=2_500_000)
        rates.append(line.rate)
    assert rates[0] is not None
    assert 340_000 < rates[0] < 380_000
    assert rates[-1] is None


def test_a_picture_stands_still_where_it_makes_the_sound_late_and_is_tried_again_later_and_later() -> None:
    """A line up of 90 kbit/s: sound takes 65 of them, the least picture more than what is left."""
    line = Uplink()
    stood: list[float] = []
    moved: list[float] = []
    was = False
    for second in range(1, 400):
        late = 0.0 if line.still else 0.5
        line.sample(float(second), received=65_000, packets=200, lost=0, queue=late, most=2_500_000)
        if line.still != was:
            was = line.still
            (stood if was else moved).append(float(second))
        assert not line.still or (line.rate or 0) <= MOVES_FROM
    waits = [again - at for at, again in zip(stood, moved, strict=False)]
    assert stood[0] <= 10
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (pytest.approx(8, abs=2), pytest.approx(LONGEST_STILL, abs=2))
    # the sound is late in few of all seconds
    assert sum(at - after for at, after in zip(stood[1:], moved, strict=False)) < 60


def test_one_bad_moment_leaves_the_picture_and_a_line_that_gets_better_has_it_back() -> None:
    line = Uplink()
    for second, late in enumerate((0.5, 0.5, 0.5, 0.5, *[0.0] * 60), start=1):
        line.sample(float(second), received=20_000, packets=200, lost=0, queue=late, most=2_500_000)
        assert not line.still
    for second, late in enumerate((0.5,) * 12, start=100):
        line.sample(float(second), received=60_000, packets=200, lost=0, queue=late, most=2_500_000)
    assert line.still
    for second in range(112, 160):
        line.sample(float(second), received=60_000, packets=200, lost=0, queue=0.0, most=2_500_000)
    assert not line.still
    assert line.rate is None or line.rate > MOVES_FROM
