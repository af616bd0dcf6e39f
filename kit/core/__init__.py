"""What everything else builds on: clock, ids, errors, history, verdicts, waits."""
