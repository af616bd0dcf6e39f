"""Real AWS: the live backend with its guard, ledger, lease, audit and janitor."""
