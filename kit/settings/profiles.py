"""Built-in profiles: named sets of defaults, below `kit.toml` in precedence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ALB = "https://webordinary-edit-alb-916355172.us-west-2.elb.amazonaws.com"

PROFILES: Mapping[str, Mapping[str, Any]] = {
    # The TEST_CONFIG of the Webordinary project. Its cluster, services and load balancer are production, which must not
    # be touched; the stack under test has other names.
    "webordinary": {
        "region": "us-west-2",
        "account": "942734823970",
        "aws_profile": "personal",
        "timeouts": {"container_ready": 60, "session_expiry": 70, "scale_down": 30},
        "test_data": {"client_id": "integration-test-client"},
        "production": {
            "account": "942734823970",
            "cluster": "webordinary-edit-cluster",
            "services": ["webordinary-hermes-service", "webordinary-edit-service"],
            "sessions_table": "webordinary-edit-sessions",
            "endpoints": [_ALB, f"{_ALB}/hermes", f"{_ALB}/api"],
        },
    },
}
