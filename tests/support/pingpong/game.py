"""Starts the cloud and both players, and adds up what they saw. It takes no part in the clock itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support import REPOSITORY

CLOUD = ["-m", "webordinary_testkit.emulation"]
BROKEN = """
from webordinary_testkit.emulation import __main__
from webordinary_testkit.emulation.time import jumps
before, main, after = jumps._PROGRAM.partition("main(")
jumps._PROGRAM = before + {broken!r} + "; " + main + after
raise SystemExit(__main__.main())
"""
"""A cloud whose authority runs `broken` first."""


def play(rallies: int, seed: int = 1, *, broken: str = "") -> dict[str, Any]:
    """The result of a game: its figures, and what is wrong with the clock under `false`."""
    cloud = ["-c", BROKEN.format(broken=broken)] if broken else CLOUD
    config = json.dumps({"clock": "autojump", "seed": seed})
    with _python(*cloud, "--config", config) as (emulation, environ):
        ready = json.loads(_line(emulation))
        keys = ready["credentials"]
        environ |= {
            "AWS_ENDPOINT_URL": ready["aws"],
            "AWS_DEFAULT_REGION": ready["region"],
            "AWS_ACCESS_KEY_ID": keys["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
            "CLOCK_PAGE": ready["clock"]["page"],
        }
        with _python("-m", "tests.support.pingpong.partner", str(seed), environ=environ) as (partner, _):
            port = _line(partner).strip()
            argv = ("-m", "tests.support.pingpong.driver", str(seed), str(rallies), port)
            with _python(*argv, environ=environ) as (driver, _):
                assert partner.stdin is not None
                partner.stdin.write(_line(driver))
                partner.stdin.flush()
                return _together(json.loads(_line(driver)), json.loads(_line(partner)))


def _together(driver: dict[str, Any], partner: dict[str, Any]) -> dict[str, Any]:
    false = {
        f"{name}: {leg}": n
        for name, one in (("driver", driver), ("partner", partner))
        for leg, n in one.pop("false").items()
    }
    for name in ("wrong order", "not as long as its timers and work", "jumps before the driver waited"):
        if count := driver.pop(name):
            false[name] = count
    return {**driver, "legs": driver["legs"] + partner["legs"], "false": false}


@contextmanager
def _python(
    *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    environment = dict(os.environ if environ is None else environ)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, *arguments], cwd=REPOSITORY, env=environment, text=True, **pipes) as process:
        try:
            yield process, environment
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{process.args!r} ended"
    return line
