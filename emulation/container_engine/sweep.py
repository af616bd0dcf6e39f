"""Removes what a run left in the container engine. Standard library only, for `python -I -S`.

    python -I -S sweep.py unix:///var/run/docker.sock <run id>

Touches only what has the label of that run. The guardian starts it when the cloud was killed.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
import urllib.parse
from typing import Any

RUN = "com.webordinary.kit.run"
KINDS = ("containers", "volumes", "networks", "images")
"""In the order of removal: earlier ones use later ones."""
_HOW = {"containers": "?force=1&v=1", "volumes": "?force=1", "networks": "", "images": "?force=1"}
"""v: with the volumes that an image declares, which have no label."""
_QUIET = 3
"""Consecutive empty searches before it ends: the engine may still be creating what the dead cloud requested."""
_PAUSE = 0.3
_PATIENCE = 60.0
_LISTINGS = {
    "containers": "/containers/json?all=1&filters=",
    "volumes": "/volumes?filters=",
    "networks": "/networks?filters=",
    "images": "/images/json?all=1&filters=",
}


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def call(engine: str, method: str, path: str) -> tuple[int, Any]:
    """One call of the engine's API: status and JSON. Raises OSError when it cannot be reached, and for an address
    that is neither a socket nor plain TCP."""
    scheme, _, address = engine.partition("://")
    if scheme == "unix":
        connection: http.client.HTTPConnection = _Unix(address)
    elif scheme in ("tcp", "http"):
        connection = http.client.HTTPConnection(address, timeout=60)
    else:
        raise OSError(f"cannot reach a container engine at {engine}: not unix:// or tcp://")
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body else None
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{engine} does not answer as a container engine: {error}") from error
    finally:
        connection.close()


def find(engine: str, label: str = RUN) -> list[dict[str, Any]]:
    """Everything with this label (`key` or `key=value`): kind, id, name and labels. Raises OSError."""
    found = []
    filters = urllib.parse.quote(json.dumps({"label": [label]}))
    for kind in KINDS:
        status, answer = call(engine, "GET", _LISTINGS[kind] + filters)
        if status != 200:
            raise OSError(f"{engine} does not list its {kind}: {status} {answer}")
        for item in (answer.get("Volumes") if kind == "volumes" else answer) or ():
            names = item.get("Names") or item.get("RepoTags") or [item.get("Name", "")]
            id = item.get("Id") or item["Name"]
            found.append({"kind": kind, "id": id, "name": names[0].lstrip("/"), "labels": item.get("Labels") or {}})
    return found


def remove(engine: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Remove things by id; returns those that could not be removed, with the engine's reason."""
    left = []
    for item in found:
        path = f"/{item['kind']}/{urllib.parse.quote(item['id'], safe='')}"
        status, answer = call(engine, "DELETE", path + _HOW[item["kind"]])
        if status not in (200, 204, 404):
            left.append({**item, "why": (answer or {}).get("message", str(status))})
    return left


def sweep(engine: str, run: str) -> int:
    """Remove everything of one run until nothing is left; 0 when that succeeds."""
    quiet = 0
    deadline = time.monotonic() + _PATIENCE
    while quiet < _QUIET and time.monotonic() < deadline:
        try:
            found = find(engine, f"{RUN}={run}")
            quiet = 0 if found else quiet + 1
            remove(engine, sorted(found, key=lambda item: (KINDS.index(item["kind"]), -len(item["name"]))))
        except OSError:
            quiet = 0
        time.sleep(_PAUSE)
    return 0 if quiet >= _QUIET else 1


if __name__ == "__main__":
    raise SystemExit(sweep(sys.argv[1], sys.argv[2]))
