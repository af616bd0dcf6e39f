"""Whether everything is there that a run needs, before it is started: one line a check, and what to do.

    checks(settings) --each looks at one thing, changes nothing--> Finding: ok, warn or fail

A check that cannot look says so; it never stops the others. One file for each mode's checks.
"""

from .finding import Check, Finding, Level, examined

__all__ = ["Check", "Finding", "Level", "examined"]
