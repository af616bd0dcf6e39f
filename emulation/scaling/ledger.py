"""All that Application Auto Scaling keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulation.scaling.activities import Activities
from emulation.scaling.policies import Policies
from emulation.scaling.targets import Targets


@dataclass(frozen=True)
class Ledger:
    targets: Targets = field(default_factory=Targets)
    policies: Policies = field(default_factory=Policies)
    activities: Activities = field(default_factory=Activities)
