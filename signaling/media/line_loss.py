"""What a line loses. This module owns how much of that its traffic is to blame for.

Pure. Three things look alike in a second's figures: packets that a full queue drops, chance among few packets, and
what a radio line loses however little is sent. Chance is averaged out. The other two are told apart by sending less:
where as much is lost as before, the traffic was not the cause, and from then on only what comes on top of it counts.
"""

from __future__ import annotations

MUCH_LOSS = 0.10
"""On top of the usual: more than a line loses without being full."""
ENOUGH = 100
"""Packets that tell a line's loss: of forty, one in twenty lost often looks like one in eight."""
SMOOTHING = 1 / 3
FOLLOWING = 1 / 16
"""Of the way from the usual loss to that of the last packets."""
MOST_USUAL = 0.20
"""What loses more than that is of no use for pictures, whoever is to blame."""
STAYS = 0.5
"""Of the loss before less was sent: a full queue would have lost next to nothing after."""
LESS = 0.9
"""Of what was sent before: who cannot send less learns nothing."""
TRIAL = 6.5
"""Seconds until a trial is given up that nobody reports on."""


class LineLoss:
    """share: smoothed over some hundred packets; usual: the part of it that the line loses anyway."""

    def __init__(self) -> None:
        self.share = self.usual = 0.0
        self._packets = self._lost = 0
        self._before, self._sent_before = 0.0, 0
        self._trial_until = 0.0

    def hear(self, packets: int, lost: int) -> float | None:
        """The share lost of the packets since the last that it told of; None: too few to tell anything."""
        self._packets += packets
        self._lost += lost
        if self._packets < ENOUGH:
            return None
        told = self._lost / self._packets
        self._packets = self._lost = 0
        self.share += (told - self.share) * SMOOTHING
        if self.usual:
            self.usual = min(MOST_USUAL, self.usual + (told - self.usual) * FOLLOWING)
        return told

    def forget(self) -> None:
        """What was told so far is of what was sent before a cut."""
        self._packets = self._lost = 0
        self.share = 0.0

    @property
    def extra(self) -> float:
        """What is lost on top of the usual."""
        return max(0.0, self.share - self.usual)

    def send_less(self, now: float, sent: int) -> None:
        """Less than the `sent` bit/s goes this way from now on, for the loss alone: what is lost of it will tell."""
        self._before, self._sent_before, self._trial_until = self.share, sent, now + TRIAL

    def on_trial(self, now: float) -> bool:
        return now < self._trial_until

    def stays(self, now: float, told: float, sent: int) -> bool:
        """The first packets after a cut tell whether it helped; True: as much is lost of less."""
        if not self.on_trial(now):
            return False
        self._trial_until = 0.0
        if told < self._before * STAYS or sent > self._sent_before * LESS:
            return False
        self.share = told
        self.usual = min(MOST_USUAL, told)
        return True
