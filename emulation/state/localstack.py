"""LocalStack in a container, started with testcontainers.

`stop` removes it; the guardian does when the cloud is killed, and `kit audit` when the guardian is killed too. All of
them find it by the run's label.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from ..container_engine import sweep
from ..container_engine.engine import Engine
from ..container_engine.labels import Owner
from ..core.ids import Ids
from ..time.clock import Clock

IMAGE = "localstack/localstack:4.14.0"
"""The last free version that needs no token."""
SERVICES = ("sqs", "sns", "ses", "s3", "dynamodb", "dynamodbstreams", "cloudwatch", "logs")
"""The services of its free edition that the cloud uses."""
PORT = 4566
READY_WITHIN = 90.0
"""Wall seconds from a started container to its "Ready."."""
LACKS = "com.webordinary.image.lacks"
"""The label of an image that lacks some of them: their names, separated by blanks."""
TOKEN = "LOCALSTACK_AUTH_TOKEN"  # noqa: S105 - a name, not a secret
WANTS_A_TOKEN = 55
"""Exit code of an image without a valid token."""
_TOKEN_MESSAGE = re.compile(r"license activation failed|auth[_ ]?token|no credentials were found", re.IGNORECASE)
_ENVIRONMENT = {
    "GATEWAY_LISTEN": f"0.0.0.0:{PORT}",
    "DNS_ADDRESS": "0",  # no name server for its host
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    "EAGER_SERVICE_LOADING": "1",
    "SQS_ENDPOINT_STRATEGY": "path",
    "SQS_DELAY_RECENTLY_DELETED": "0",  # the gateway holds names back, in AWS seconds
    "SQS_DELAY_PURGE_RETRY": "0",
    "SQS_DISABLE_CLOUDWATCH_METRICS": "1",  # published by the cloud's controllers
    "PERSISTENCE": "0",
}
_NEXT = 'next: take the embedded base: --base moto, or base = "moto" below [emulated] in kit.toml'


class Guardian(Protocol):
    """Runs a program should the cloud be killed."""

    async def afterwards(self, argv: list[str]) -> None: ...


class LocalStackFailed(ValueError):
    """LocalStack does not start; the text says why and what to do."""


class LocalStack:
    """An `EndpointHost`."""

    def __init__(self, clock: Clock, ids: Ids, guardian: Guardian, image: str, region: str) -> None:
        self.run = f"kit-{ids.hex(12)}"
        self._clock = clock
        self._guardian = guardian
        self._image = image
        self._region = region
        self._engine = ""
        self._starting: asyncio.Task[str] | None = None
        self._log = logging.getLogger("emulation.state")

    async def start(self) -> str:
        """Returns its URL once it is ready. Raises `EngineUnusable`, `LocalStackFailed`."""
        engine = await Engine.open(instead=_NEXT)
        self._engine = engine.address
        await engine.close()
        now = self._clock.wall_now()
        labels = Owner.this_process(self.run, now).labels()
        await self._guardian.afterwards([sys.executable, "-I", "-S", sweep.__file__, self._engine, self.run])
        self._starting = asyncio.get_running_loop().create_task(asyncio.to_thread(self._up, labels))
        return await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Remove it by force: it keeps nothing, and may hang when it is stopped. Does not raise."""
        if self._starting is None:
            return
        await asyncio.wait({self._starting}, timeout=READY_WITHIN)
        try:
            left = await asyncio.to_thread(self._removed)
        except OSError as error:
            self._log.error("the engine does not say what is left of %s: %s", self.run, error)
            return
        for one in left:
            self._log.error("container %s is left in the engine: %s", one["name"], one["why"])

    def _removed(self) -> list[dict[str, Any]]:
        return sweep.remove(self._engine, sweep.find(self._engine, f"{sweep.RUN}={self.run}"))

    # The methods below run in a thread.

    def _up(self, labels: Mapping[str, str]) -> str:
        os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # would be pulled; the labels replace it
        os.environ["TESTCONTAINERS_CONNECTION_MODE"] = "docker_host"
        os.environ.setdefault("DOCKER_HOST", self._engine)
        # Heavy, and reads the environment when it is imported.
        from testcontainers.community.localstack import LocalStackContainer  # noqa: PLC0415
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

        ready = LogMessageWaitStrategy(re.compile(r"Ready\.")).with_startup_timeout(int(READY_WITHIN))
        container = LocalStackContainer(self._image, edge_port=PORT, region_name=self._region)
        lacking = self._missing_services(container)
        container.with_services(*(each for each in SERVICES if each not in lacking), "sts").with_envs(**_ENVIRONMENT)
        if os.environ.get(TOKEN):
            container.with_env(TOKEN, os.environ[TOKEN])
        container.ports = {f"{PORT}/tcp": ("127.0.0.1", None)}
        # In memory: its files end with it, and the volume of its image is not made.
        container.tmpfs = {"/var/lib/localstack": "exec"}
        container.with_name(f"{self.run}-localstack").with_kwargs(labels=dict(labels))
        container.waiting_for(ready.with_poll_interval(0.2))
        try:
            DockerContainer.start(container)  # LocalStackContainer.start keeps waiting when the container has ended
            return f"http://127.0.0.1:{container.get_exposed_port(PORT)}"
        except Exception as error:
            raise LocalStackFailed(self._why(error, container._container)) from error

    def _missing_services(self, container: Any) -> list[str]:
        """Services that the image lacks by its label; none when it has not been pulled yet."""
        try:
            image = container.get_docker_client().client.images.get(self._image)
        except Exception:  # starting it reports the error
            return []
        return str(image.labels.get(LACKS, "")).split()

    def _why(self, error: Exception, container: Any) -> str:
        said = str(getattr(error, "explanation", None) or error).strip()
        if container is None:
            return self._unavailable(said)
        try:
            container.reload()
            code = container.attrs["State"]["ExitCode"] if container.status == "exited" else None
            log = container.logs(tail=30).decode(errors="replace").strip()
        except Exception:  # the engine knows no more
            return f"LocalStack does not start from {self._image}: {said[:500]}. {_NEXT}"
        if code == WANTS_A_TOKEN or (code is not None and _TOKEN_MESSAGE.search(log)):
            return (
                f"the image {self._image} demands a LocalStack token (exit code {code}): {_last(log, 2)}. "
                f'next: take the last free one: localstack_image = "{IMAGE}" below [emulated] in kit.toml, '
                f"or have your own token in the environment as {TOKEN}"
            )
        what = f"ended with exit code {code}" if code is not None else f"was not ready within {READY_WITHIN:g} s"
        return f"LocalStack ({self._image}) {what}: {_last(log, 5) or said[:300]}. {_NEXT}"

    def _unavailable(self, said: str) -> str:
        if "no space left on device" in said:
            return f"the engine's disk is full: {said}. next: docker system df shows what takes the space"
        if "already in use" in said or "port is already allocated" in said:
            return f"LocalStack does not start: {said}. next: kit audit --yes removes what dead runs left"
        return (
            f"the image {self._image} is not in the engine and cannot be had: {said[:300]}. next: docker pull "
            f"{self._image}; where no registry can be reached: kit images build localstack, and localstack_image = "
            '"webordinary/localstack:test" below [emulated] in kit.toml'
        )


def _last(log: str, lines: int) -> str:
    return " / ".join(line.strip() for line in log.splitlines()[-lines:] if line.strip())
