"""The scenarios, one file each: each registers itself with `kit.scenario.scenario`."""
