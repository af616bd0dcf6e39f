"""The latency profile of an emulated run."""
