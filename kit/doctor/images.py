"""Checks that ECR has the stack's images, for the architecture of its tasks."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from typing import Any

from ..aws.client import Aws
from ..backends.live import account
from ..backends.live.stack import StackPlan
from ..core.threads import BlockingPool
from ..settings import Settings
from .finding import DoctorFinding, fail, ok, warn

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_WITHIN = 10.0
"""Wall seconds to get an image's configuration, some KB."""
_NAMES = {"X86_64": "amd64", "ARM64": "arm64"}


async def images(
    settings: Settings, aws: Aws, threads: BlockingPool, wanted: StackPlan, architecture: str
) -> Sequence[DoctorFinding]:
    """`architecture`: that of the template's tasks, in ECS's terms (X86_64, ARM64)."""
    findings: list[DoctorFinding] = []
    needed = _NAMES.get(architecture, architecture)
    for image in wanted.images:
        found = account.ecr_image(image)
        if found is None:
            findings.append(ok("images", f"{image} is not in ECR, and not checked"))
            continue
        await account.refuse_missing_images(aws, [image])
        if found["region"] != settings.region:
            next = f"push it to {settings.region}: pulls from elsewhere are slow and cost money"
            findings.append(warn("images", f"{image} is in {found['region']}", next))
        manifest, digest = await _manifest(aws, found)
        short = f"{image} @ {digest[:19]}…"
        try:
            for_machines = await _architectures(aws, threads, found, manifest)
        except Exception as error:  # it may fail for many reasons, and a run can still start
            seen = f"{short}, of unknown architecture: {error}"
            findings.append(warn("images", seen, "docker manifest inspect " + image))
            continue
        if not for_machines:
            seen = f"{short}, of unknown architecture: its index has none"
            findings.append(warn("images", seen, "docker manifest inspect " + image))
        elif needed not in for_machines:
            next = f"build it for {needed}: docker buildx build --platform linux/{needed}"
            findings.append(fail("images", f"{short} is for {', '.join(for_machines)}, tasks are {needed}", next))
        else:
            findings.append(ok("images", f"{short} for {', '.join(for_machines)}"))
    return findings


async def _manifest(aws: Aws, found: account.EcrImage) -> tuple[dict[str, Any], str]:
    answer = await aws.call(
        "ecr",
        "batch_get_image",
        registryId=found["account"],
        repositoryName=found["name"],
        imageIds=[account.image_id(found)],
    )
    image = answer["images"][0]
    manifest: dict[str, Any] = json.loads(image["imageManifest"])
    return manifest, str(image["imageId"].get("imageDigest", ""))


async def _architectures(
    aws: Aws, threads: BlockingPool, found: account.EcrImage, manifest: dict[str, Any]
) -> list[str]:
    """From the index, or from the image's configuration, which ECR stores as a layer."""
    if manifest.get("mediaType") in _INDEXES or "manifests" in manifest:
        named = {each.get("platform", {}).get("architecture", "") for each in manifest.get("manifests", ())}
        return sorted(named - {"", "unknown"})
    answer = await aws.call(
        "ecr",
        "get_download_url_for_layer",
        registryId=found["account"],
        repositoryName=found["name"],
        layerDigest=manifest["config"]["digest"],
    )
    configuration = json.loads(await threads.run(_download, answer["downloadUrl"]))
    return [str(configuration["architecture"])]


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_WITHIN) as response:  # noqa: S310 - an http address of the run
        body: bytes = response.read(1 << 20)
        return body
