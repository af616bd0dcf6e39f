"""All that Application Auto Scaling keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from .activities import Activities
from .policies import Policies
from .targets import Targets


@dataclass(frozen=True)
class Ledger:
    targets: Targets = field(default_factory=Targets)
    policies: Policies = field(default_factory=Policies)
    activities: Activities = field(default_factory=Activities)
