"""Start the emulated cloud with the stack deployed, and keep it running until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InfraError, UsageError
from . import common, running

if TYPE_CHECKING:
    from ..aws.outputs import Stack
    from ..backends.emulated.backend import EmulatedBackend
    from ..backends.interface import Cloud
    from ..settings import Settings

HELP = "start the emulated cloud with the stack deployed and keep it running"
SCALE = 10
"""Speed of AWS time for interactive use: the idle minute takes 6 s."""


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready, and nothing else")
    parser.add_argument(
        "--base", metavar="BASE", help="where declared state is kept: moto (default), localstack, or a URL"
    )
    parser.add_argument("--runtime", choices=("process", "docker"), help="what a task becomes (default: process)")
    parser.add_argument("--scale", type=float, help=f"speed of AWS time: 1 is real time (default: {SCALE})")
    parser.add_argument("--port", type=int, help="port of the AWS endpoint (default: any free one)")
    parser.add_argument("--smtp-port", type=int, help="port of SMTP (default: any free one)")
    parser.add_argument(
        "--insecure-keys",
        metavar="WORD",
        help="take any access key and verify no signature; WORD is key and secret of the printed lines",
    )


def run(args: argparse.Namespace) -> int:
    settings = common.load_settings(
        args,
        defaults={"emulated": {"scale": SCALE}},
        emulated__scale=args.scale,
        emulated__runtime=args.runtime,
        emulated__base=args.base,
        emulated__port=args.port,
        emulated__smtp_port=args.smtp_port,
        emulated__insecure_keys=args.insecure_keys,
    )
    return common.run_async(_up(settings, json=args.json))


async def _up(settings: Settings, *, json: bool) -> int:
    from ..backends.emulated.backend import EmulatedBackend  # noqa: PLC0415 - heavy: only where a cloud is started
    from ..core.clock import Clock  # noqa: PLC0415
    from ..core.history import History  # noqa: PLC0415

    if settings.mode == "live":
        raise UsageError(
            "kit up starts the emulated cloud, and the settings say live",
            next="deploy to the account: kit deploy; or here: --set mode=emulated",
        )
    other = running.find(settings.report_dir)
    if other is not None:
        raise UsageError(
            f"a cloud is already running here, process {other.pid}, at {other.readiness.aws}",
            next="use it (kit status), stop it, or run another elsewhere: --set report_dir=…",
        )
    folder = settings.report_dir / "up"
    shutil.rmtree(folder, ignore_errors=True)
    clock = Clock()
    before = clock.monotonic()
    backend = EmulatedBackend(settings, folder, History(clock))
    cloud = await backend.start()
    try:
        assert backend.readiness is not None
        running.note(settings.report_dir, running.Running(os.getpid(), backend.readiness, cloud.stack))
        if json:
            common.say_json(_facts(backend, cloud, folder), indent=None)
        else:
            _tell(backend, cloud, folder, clock.monotonic() - before)
        return await _until_stopped(backend)
    finally:
        running.forget(settings.report_dir)
        await backend.stop()
        for line in backend.left_behind:
            sys.stderr.write(f"kit: left behind by this cloud: {line}\n")


async def hold(backend: EmulatedBackend, cloud: Cloud, settings: Settings) -> int:
    """Keep a running cloud available to the other commands until a signal."""
    assert backend.readiness is not None
    running.note(settings.report_dir, running.Running(os.getpid(), backend.readiness, cloud.stack))
    try:
        return await _until_stopped(backend)
    finally:
        running.forget(settings.report_dir)


async def _until_stopped(backend: EmulatedBackend) -> int:
    """Wait for SIGINT or SIGTERM and return 0. Raises `InfraError` when the cloud ends by itself."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stopped.set)
    waiting = asyncio.create_task(stopped.wait())
    gone = asyncio.create_task(backend.ended())
    try:
        await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            raise InfraError(gone.result())
        return 0
    finally:
        waiting.cancel()
        gone.cancel()


def _facts(backend: EmulatedBackend, cloud: Cloud, folder: Path) -> dict[str, Any]:
    ready, outputs = backend.readiness, cloud.stack.outputs
    assert ready is not None
    return {
        "aws": ready.aws,
        "alb": outputs.get("LoadBalancerUrl", ""),
        "smtp": ready.smtp,
        "mail_to": outputs.get("MailAddress", ""),
        "region": ready.region,
        "stack": cloud.stack.name,
        "pid": os.getpid(),
        "account": ready.account,
        "scale": ready.scale,
        "client_domain": outputs.get("ClientMailDomain", ""),
        "environment": ready.environment(),
        "outputs": dict(outputs),
        "log": str((folder / "cloud.log").resolve()),
    }


def _tell(backend: EmulatedBackend, cloud: Cloud, folder: Path, seconds: float) -> None:
    from ..backends.emulated.base_state import lines as base_lines  # noqa: PLC0415 - heavy: only where a cloud is started
    from ..ecs_exec import plugin  # noqa: PLC0415

    ready, stack = backend.readiness, cloud.stack
    assert ready is not None
    lines = [
        f"The emulated cloud runs at {ready.scale:g} × AWS time; {stack.name} is deployed ({seconds:.1f} s).",
        "",
        f"  AWS endpoint   {ready.aws}",
        *_addresses(stack, ready.smtp),
        f"  log            {folder / 'cloud.log'}",
        *(f"  {line}" for line in base_lines(ready.base)),
        "",
        *(f"  export {name}={value}" for name, value in ready.environment().items()),
    ]
    if shutil.which(plugin.NAME) is None:
        programs = plugin.write_launcher(folder.resolve() / "bin").parent
        lines.append(f'  export PATH="{programs}:$PATH"   # session-manager-plugin, for aws ecs execute-command')
    lines.append("")
    if stack.is_webordinary:
        lines.append("Try, in another terminal:  kit mail 'Add a new page called \"Hello\"'")
    common.say("\n".join([*lines, "Ctrl-C stops everything."]))


def _addresses(stack: Stack, smtp: str) -> list[str]:
    """The lines with the stack's addresses; of another system, all of its outputs."""
    if not stack.is_webordinary:
        return [f"  {name:<14} {value}" for name, value in stack.outputs.items()]
    return [
        f"  load balancer  {stack.load_balancer_url}",
        f"  SMTP           {smtp}",
        f"  mail to        {stack.mail_address}   (from anybody@{stack.client_mail_domain})",
    ]
