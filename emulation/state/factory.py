"""Makes the state store of the settings: moto in this process, a LocalStack container, or an existing endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.ids import Ids
from ..time.clock import Clock
from .embedded import MotoStore

if TYPE_CHECKING:
    from ..config import CloudConfig
    from ..core.guardian import Guardian
    from .composite import CompositeStore, EndpointHost


def create_store(
    config: CloudConfig, clock: Clock, ids: Ids, guardian: Guardian, host: Callable[[], str]
) -> MotoStore | CompositeStore:
    """The store, not started. `host`: the gateway's `host:port`. Raises ValueError for incomplete credentials."""
    embedded = MotoStore(clock, account=config.account, host=host, region=config.region, seed=config.seed)
    if config.base == "moto":
        return embedded
    # Heavy imports that most runs do not need.
    from .composite import CompositeStore  # noqa: PLC0415
    from .endpoint import Endpoint  # noqa: PLC0415
    from .signing import Keys  # noqa: PLC0415

    endpoint_host: EndpointHost
    only = tuple(config.base_services)
    if config.base == "localstack":
        from .localstack import SERVICES, LocalStack  # noqa: PLC0415

        endpoint_host = LocalStack(clock, ids, guardian, config.localstack_image, config.region)
        only = tuple(service for service in SERVICES if not only or service in only)
        name, keys = config.localstack_image, Keys.of(config.account, {})
    else:
        name, keys = config.base, Keys.of(config.account)
        endpoint_host = _ExistingEndpoint(config.base)

    def endpoint(url: str) -> Endpoint:
        return Endpoint(clock, url, keys, region=config.region, account=config.account, host=host)

    return CompositeStore(embedded, endpoint, endpoint_host, name=name, region=config.region, only=only)


@dataclass(frozen=True)
class _ExistingEndpoint:
    """An endpoint that runs already."""

    url: str

    async def start(self) -> str:
        return self.url

    async def stop(self) -> None:
        pass
