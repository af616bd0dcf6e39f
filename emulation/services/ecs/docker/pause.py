"""Builds the pause image: one 200-byte program that waits, and so holds a task's network or a volume.

The program is assembled here, so that no registry and no other image is needed.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping

COMMAND = ["/pause"]

_MACHINES = {
    # mov eax, 34 (pause); syscall; jmp back
    "amd64": (62, bytes.fromhex("b8220000000f05ebf7")),
    # mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b back
    "arm64": (
        183,
        struct.pack("<8I", *(0xD2800000 + register for register in range(5)), 0xD2800928, 0xD4000001, 0x17FFFFF9),
    ),
}
_BASE = 0x400000


def program(architecture: str) -> bytes:
    """A static ELF executable. Raises `ValueError` for an unsupported architecture."""
    if architecture not in _MACHINES:
        raise ValueError(f"no pause program for {architecture} containers; there is one for {', '.join(_MACHINES)}")
    machine, code = _MACHINES[architecture]
    start = 64 + 56
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        *(b"\x7fELF\x02\x01\x01", 2, machine, 1, _BASE + start, 64, 0, 0, 64, 56, 1, 0, 0, 0),
    )
    size = start + len(code)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000) + code


def archive(tag: str, architecture: str, labels: Mapping[str, str]) -> bytes:
    """The image in the format of `docker load`."""
    layer = _tar({"pause": (program(architecture), 0o755)})
    configuration = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": COMMAND, "Labels": dict(labels)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "pause"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    return _tar(
        {
            "layer.tar": (layer, 0o644),
            "config.json": (json.dumps(configuration).encode(), 0o644),
            "manifest.json": (json.dumps(manifest).encode(), 0o644),
        }
    )


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
