"""Runs a program of the reference system with one break: `python -m … BREAK -- MODULE`."""

from __future__ import annotations

import runpy
import sys

from .breaking import aim, load


def main() -> None:
    match sys.argv:
        case [_, name, "--", module, *arguments]:
            aim(module)
            load(name).apply()
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case _:
            raise SystemExit("usage: python -m webordinary_testkit.kit.selftest.broken BREAK -- MODULE [ARGUMENT …]")


if __name__ == "__main__":
    main()
