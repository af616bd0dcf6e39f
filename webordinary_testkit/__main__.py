"""`python -m webordinary_testkit` is the `kit` command, also where another distribution's `kit` hides it."""

import sys

from .kit.cli import main

sys.exit(main())
