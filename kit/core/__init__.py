"""Fundamentals of the kit: clock, ids, errors, history, verdicts, waits."""
