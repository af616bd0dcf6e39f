"""An image registry on loopback, which engines reach without TLS: the part of the distribution API that a pull needs,
with one image made of a few bytes."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import io
import json
import secrets
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

USER, PASSWORD = "reader", "s3cret: with a colon"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass
class Registry:
    """`image` can be pulled from it; `asked` is what it was asked for."""

    image: str
    digest: str
    """Of the manifest: what names the image whatever its tag."""
    address: str
    asked: list[str] = field(default_factory=list)
    layers_may_go: asyncio.Event = field(default_factory=asyncio.Event)
    """Until it is set, layers are held back."""

    def config(self, password: str = PASSWORD) -> str:
        """Docker's config.json after a `docker login`."""
        auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
        return json.dumps({"auths": {self.address: {"auth": auth}}})


@asynccontextmanager
async def registry(architecture: str, *, login: bool = False) -> AsyncIterator[Registry]:
    """A registry with one image for this architecture; with `login` for USER only."""
    layer = _tar("word", secrets.token_bytes(16))  # an image of its own: no engine has its layer
    rootfs = {"type": "layers", "diff_ids": [_digest(gzip.decompress(layer))]}
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    blobs = {_digest(content): content for content in (layer, config)}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor("application/vnd.docker.container.image.v1+json", config),
            "layers": [_descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
        }
    ).encode()
    name = f"kit-test-{secrets.token_hex(4)}/word"

    @web.middleware
    async def only_known(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        made.asked.append(f"{request.method} {request.path}")
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if login and request.headers.get("Authorization") != wanted:
            raise web.HTTPUnauthorized(
                text=json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}),
                content_type="application/json",
                headers={"WWW-Authenticate": 'Basic realm="test"'},
            )
        return await handler(request)

    async def version(request: web.Request) -> web.Response:
        return web.json_response({}, headers={"Docker-Distribution-Api-Version": "registry/2.0"})

    async def manifests(request: web.Request) -> web.Response:
        if request.match_info["reference"] not in ("1", _digest(manifest)):
            return web.json_response(
                {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, status=404
            )
        headers = {"Docker-Content-Digest": _digest(manifest)}
        return web.Response(body=manifest, content_type=_MANIFEST, headers=headers)

    async def blob(request: web.Request) -> web.Response:
        content = blobs[request.match_info["digest"]]
        if content is layer:
            await made.layers_may_go.wait()
        return web.Response(body=content, content_type="application/octet-stream")

    app = web.Application(middlewares=[only_known])
    app.router.add_get("/v2/", version)
    app.router.add_get(f"/v2/{name}/manifests/{{reference}}", manifests)
    app.router.add_get(f"/v2/{name}/blobs/{{digest}}", blob)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"127.0.0.1:{runner.addresses[0][1]}"
        made = Registry(f"{address}/{name}:1", _digest(manifest), address)
        made.layers_may_go.set()
        yield made
    finally:
        await runner.cleanup()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


def _tar(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
