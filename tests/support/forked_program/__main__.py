"""`python -m tests.support.forked_program SOURCE …`: runs Python source, with the rest as its arguments."""

import sys

if __name__ == "__main__":
    exec(sys.argv.pop(1))
