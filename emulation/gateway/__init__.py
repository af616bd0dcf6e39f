"""The AWS endpoint: one loopback port that dispatches every SDK call."""
