"""The scenarios, one file each, registered by the decorator `kit.scenarios.registry.scenario`."""

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
"""The order in which scenarios run; others follow by name."""
