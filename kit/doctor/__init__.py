"""Checks whether a run has everything it needs: one line per check, with the next step.

    checks(settings) --each checks one subject, changes nothing--> DoctorFinding: ok, warn or fail

A failing check never stops the others. One module for each mode's checks.
"""

from .finding import Check, DoctorFinding, Level, run_checks

__all__ = ["Check", "DoctorFinding", "Level", "run_checks"]
