"""A small emulated cloud for a test: the real gateway and base, and the controllers the test names.

async with world(lambda ctx: Alb(ctx), scale=60) as w:
    await w.aws.call("elbv2", "CreateLoadBalancer", Name="web", Subnets=["subnet-1"])
    client = w.client("elbv2")
    answer = await asyncio.to_thread(client.describe_load_balancers)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config

from tests.support.aws import SESSION
from webordinary_testkit.emulation.cloud import Cloud, CloudParts, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.controller import Aws, Context, Controller, Credentials

Factory = Callable[[Context], Controller]


@dataclass(frozen=True)
class World:
    cloud: Cloud
    ctx: Context

    @property
    def aws(self) -> Aws:
        """In-process calls, in the name of the test."""
        return self.ctx.aws

    @property
    def url(self) -> str:
        return self.cloud.gateway.url

    @property
    def workdir(self) -> Path:
        return self.cloud.workdir

    @property
    def controllers(self) -> Sequence[Controller]:
        """As the factories made them, in order."""
        return self.cloud.wiring.controllers

    @property
    def admin_headers(self) -> Mapping[str, str]:
        """What the admin API wants."""
        return {"Authorization": f"Bearer {self.cloud.keys.root.secret_access_key}"}

    def client(self, service: str, *, credentials: Credentials | None = None, **config: Any) -> Any:
        """A boto3 client of the gateway. It blocks: call it through `asyncio.to_thread`. Does not retry.
        `config` goes to `botocore.config.Config`."""
        settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}, **config}
        insecure = Credentials("AKIAIOSFODNN7EXAMPLE", "secret", "")
        used = credentials or (insecure if self.cloud.config.insecure_keys else self.cloud.keys.root)
        keys = {
            "aws_access_key_id": used.access_key_id,
            "aws_secret_access_key": used.secret_access_key,
            "aws_session_token": used.session_token or None,
        }
        return SESSION.client(
            service,
            endpoint_url=self.url,
            region_name=self.cloud.config.region,
            config=Config(**settings),
            **keys,
        )


@asynccontextmanager
async def world(
    *factories: Factory,
    scale: float = 60.0,
    seed: int | None = None,
    programs: Mapping[str, Sequence[str]] | None = None,
    base: str = "moto",
    base_services: Sequence[str] = (),
    insecure_keys: str = "test",
) -> AsyncIterator[World]:
    """A cloud with exactly these controllers, gone with all its state at the end of the block. It takes any access
    key, unless `insecure_keys` is empty: then `World.client` signs with the run's key."""

    def assemble(parts: CloudParts) -> Wiring:
        return Wiring([factory(parts.context("controller")) for factory in factories])

    config = CloudConfig(
        scale=scale,
        seed=seed,
        programs=programs or {},
        base=base,
        base_services=base_services,
        insecure_keys=insecure_keys,
    )
    cloud = Cloud(config, assemble)
    await cloud.start()
    try:
        yield World(cloud, cloud.context("test"))
    finally:
        await cloud.stop()
