"""Maps images of task definitions to local images, and pulls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....container_engine import pulling
from ..runtime import CannotPull
from .engine_run import ENGINE_ERRORS, EngineRun, why


class Images:
    def __init__(self, host: EngineRun, mapped: Mapping[str, str]) -> None:
        self._host = host
        self._mapped = mapped

    def real(self, image: str) -> str:
        return self._mapped.get(image, image)

    async def check(self) -> None:
        """Pull every mapped image. Raises `CannotPull` for the first that cannot be pulled."""
        for image in self._mapped:
            await self.pull(image)

    async def pull(self, image: str) -> str:
        """Pull the mapped image unless it is local, and return its digest. Raises `CannotPull`."""
        real = self.real(image)
        found = await self._local(real) or await self._pulled(image, real)
        architecture = found.get("Architecture", "")
        engine = self._host.engine
        if architecture and architecture != engine.architecture and not engine.emulates:
            raise CannotPull(
                f"image Manifest does not contain descriptor matching platform 'linux/{engine.architecture}'. The "
                f"image {_named(image, real)} is for {architecture}, this engine runs {engine.architecture}: build it "
                f"for linux/{engine.architecture} (docker build --platform linux/{engine.architecture} …)"
            )
        digests = found.get("RepoDigests") or ()
        return str(digests[0]).rpartition("@")[2] if digests else str(found["Id"])

    async def _local(self, real: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = await self._host.client.images.inspect(real)
            return found
        except ENGINE_ERRORS as error:
            if getattr(error, "status", None) in (400, 404):
                return None
            raise CannotPull(f"the container engine cannot inspect the image {real}: {why(error)}") from error

    async def _pulled(self, image: str, real: str) -> Mapping[str, Any]:
        try:
            await pulling.pull(self._host.client, real)
        except pulling.PullFailed as error:
            raise CannotPull(
                f"pull image manifest has been retried 1 time(s): failed to resolve ref {pulling.canonical(real)}: "
                f"{error.reason}. The image {_named(image, real)} is not on this machine, and cannot be pulled. next: "
                f'{error.remedy}; or name another in kit.toml: [images] "{image}" = "your/image:tag"'
            ) from error
        found = await self._local(real)
        if found is None:
            raise CannotPull(f"{pulling.canonical(real)} was pulled but is missing: the engine's disk may be full")
        return found


def _named(image: str, real: str) -> str:
    return image if image == real else f"{real} (for {image})"
