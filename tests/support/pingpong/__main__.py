"""`python -m tests.support.pingpong RALLIES [SEED]`: plays, and prints the result as JSON."""

import json
import sys

from tests.support.pingpong.game import play

print(json.dumps(play(*map(int, sys.argv[1:3])), indent=2))  # noqa: T201 - its result
