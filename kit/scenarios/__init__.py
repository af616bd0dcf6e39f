"""The scenarios, one file each; each registers itself by `registry.scenario`."""

ORDER = (
    "email_to_preview",
    "cold_start",
    "persistence",
    "concurrency",
    "routing",
    "recovery",
    "mail_thread",
    "hostile_input",
    "redelivery",
    "readiness",
    "contract",
    "outage",
)
"""The order in which they run; those that are not named here come last, by name."""
