"""`python -m kit` is the `kit` command."""

import sys

from webordinary_testkit.kit.cli import main

sys.exit(main())
