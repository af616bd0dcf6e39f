"""`nox -s bench [name …]`: measure, show, and keep the table in this folder's README up to date."""

from __future__ import annotations

import importlib
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import Figure, table

BENCHMARKS = ("clock", "journey", "mixes", "gateway", "load_balancer", "exec", "docker", "concurrency")
LONG = ("lost_wakeups",)
"""Only when asked for by name."""
README = Path(__file__).parent / "README.md"
_BEGIN, _END = "<!-- figures -->", "<!-- /figures -->"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS + LONG]
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS + LONG)}\n")
        return 2
    figures: list[Figure] = []
    for name in names or BENCHMARKS:
        print(f"{name} …", flush=True)
        for figure in importlib.import_module(f"benchmarks.{name}").measure():
            figures.append(figure)
            print(figure.row(), flush=True)
    if not names:
        _write(figures)
    return 0


def _write(figures: list[Figure]) -> None:
    before, _, rest = README.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    about = f"Python {platform.python_version()} on {platform.system()}, {platform.machine()}."
    README.write_text(f"{before}{_BEGIN}\n{about}\n\n{table(figures)}\n{_END}{after}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
