"""A queue and the attributes that decide when a message can be received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ...time.clock import Clock
from .activity import Activity
from .long_polls import LongPolls


@dataclass(frozen=True)
class Timing:
    """Seconds; the defaults are those of SQS."""

    delay: float = 0
    visibility: float = 30
    wait: float = 0
    dead_letters: str | None = None
    """The name of the dead-letter queue."""

    @classmethod
    def of(cls, attributes: Mapping[str, str], base: Timing | None = None) -> Timing:
        """From an SQS attribute map; missing attributes keep the value of `base`."""
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
        self.long_polls = LongPolls(clock)
        self.activity = Activity(name, clock.now())
        self.depth = (0, 0, 0)
        """Visible, in flight, delayed, when last read."""
        self.purged_at: float | None = None

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")
