"""How much of what a line loses its traffic is to blame for."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.congestion import Downlink, Uplink
from signaling.media.line_loss import ENOUGH, MOST_USUAL, MUCH_LOSS, LineLoss

SOUND, PICTURE = 90_000, 140_000
"""bit/s; with it go 50 and 40 packets a second."""


def an_hour(line: Downlink, random: Random, own: float, carries: float = float("inf")) -> int:
    """Sound and a small picture on a line that loses that share of all packets, each by itself, and what it does not
    carry. Returns the seconds in which the picture was left out."""
    still = 0
    for second in range(3600):
        shown = line.rate >= SOUND + PICTURE
        still += not shown
        sent = SOUND + PICTURE if shown else SOUND
        packets = 90 if shown else 50
        share = own + (1 - own) * max(0.0, 1 - carries / sent)
        lost = sum(random.random() < share for _ in range(packets))
        line.sample(
            float(second), sent=sent, video=sent - SOUND, packets=packets, lost=lost, rtt=0.05, remb=None, upward=0.0
        )
        if line.wants_probe(SOUND + PICTURE, float(second)):
            line.probed(SOUND + PICTURE, "carries" if carries > SOUND + PICTURE else "queues", float(second))
    return still


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("own", [0.05, 0.08, 0.12, 0.15])
def test_what_a_line_loses_anyway_leaves_the_picture(own: float, seed: int) -> None:
    assert an_hour(Downlink(), Random(seed), own) <= 60


@pytest.mark.parametrize("own", [0.0, 0.05, 0.12])
def test_what_is_too_much_for_a_line_goes_though_it_makes_no_queue(own: float) -> None:
    """As at a shaper that drops what is above a rate and delays nothing."""
    assert an_hour(Downlink(), Random(1), own, carries=150_000) >= 3500


@pytest.mark.parametrize("own", [0.05, 0.12])
def test_a_publisher_on_a_line_that_loses_anyway_goes_on_with_its_picture(own: float) -> None:
    line, random, sent = Uplink(), Random(1), 900_000
    low = 0
    for second in range(3600):
        lost = sum(random.random() < own for _ in range(130))
        rate = sent if line.rate is None else min(sent, line.rate)
        low += rate < sent / 2
        line.sample(float(second), received=int(rate * (1 - own)), packets=130, lost=lost, queue=0.0, most=2_500_000)
    assert low <= 60


def test_who_cannot_send_less_learns_nothing() -> None:
    loss = LineLoss()
    loss.hear(ENOUGH, 50)
    loss.send_less(0.0, 65_000)
    assert not loss.stays(5.0, 0.5, 65_000)
    assert loss.usual == 0.0


def test_a_line_that_gets_better_is_judged_anew() -> None:
    loss = LineLoss()
    loss.hear(ENOUGH, 15)
    loss.send_less(0.0, 200_000)
    assert loss.stays(5.0, 0.15, 90_000)
    assert loss.usual == 0.15
    for _ in range(100):
        loss.hear(ENOUGH, 0)
    for _ in range(3):
        loss.hear(ENOUGH, 20)
    assert loss.extra > MUCH_LOSS


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1), st.booleans(), st.integers(0, 10**6)), max_size=60))
def test_no_report_brings_a_share_out_of_bounds(reports: list[tuple[int, float, bool, int]]) -> None:
    loss = LineLoss()
    for second, (packets, share, cut, sent) in enumerate(reports):
        told = loss.hear(packets, int(packets * share))
        if told is not None:
            assert 0 <= told <= 1
            loss.stays(float(second), told, sent)
        if cut:
            loss.send_less(float(second), sent)
        assert 0 <= loss.extra <= loss.share <= 1
        assert 0 <= loss.usual <= MOST_USUAL
