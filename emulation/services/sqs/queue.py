"""One queue as declared: the attributes that decide when a message can be received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ...time.clock import Clock
from .activity import Activity
from .long_polls import Line


@dataclass(frozen=True)
class Timing:
    """Seconds, as SQS's defaults have them."""

    delay: float = 0
    visibility: float = 30
    wait: float = 0
    dead_letters: str | None = None
    """The name of the queue that takes what is received too often."""

    @classmethod
    def of(cls, attributes: Mapping[str, str], base: Timing | None = None) -> Timing:
        """From an SQS attribute map; what it does not name is as before."""
        base = base or cls()
        dead_letters = base.dead_letters
        if "RedrivePolicy" in attributes:
            policy = json.loads(attributes["RedrivePolicy"] or "{}")
            dead_letters = policy.get("deadLetterTargetArn", "").rpartition(":")[2] or None
        return cls(
            delay=float(attributes.get("DelaySeconds", base.delay)),
            visibility=float(attributes.get("VisibilityTimeout", base.visibility)),
            wait=float(attributes.get("ReceiveMessageWaitTimeSeconds", base.wait)),
            dead_letters=dead_letters,
        )


class Queue:
    def __init__(self, name: str, url: str, clock: Clock, timing: Timing) -> None:
        self.name = name
        self.url = url
        self.timing = timing
        self.line = Line(clock)
        self.activity = Activity(name, clock.now())
        self.depth = (0, 0, 0)
        """Visible, in flight, delayed, when last read."""
        self.purged_at: float | None = None

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")
