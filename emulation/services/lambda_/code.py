"""A function's code: fetched, checked, and unpacked into a folder."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.controller import Aws
from ...core.errors import AwsError
from .function import invalid

MOST_UNPACKED = 262_144_000
"""Bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


async def fetch(aws: Aws, code: Mapping[str, Any]) -> bytes:
    """The zip file in `ZipFile`, or in the S3 object. Raises `AwsError`."""
    if code.get("ImageUri"):
        raise invalid("Functions of container images are not emulated: expected ZipFile, or S3Bucket and S3Key.")
    if "ZipFile" in code:
        return bytes(code["ZipFile"])
    if not (code.get("S3Bucket") and code.get("S3Key")):
        raise invalid("Please provide a source for function code.")
    version = {"VersionId": code["S3ObjectVersion"]} if code.get("S3ObjectVersion") else {}
    try:
        answer = await aws.call("s3", "GetObject", Bucket=code["S3Bucket"], Key=code["S3Key"], **version)
    except AwsError as error:
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from error
    return bytes(answer["Body"])


def unpack(content: bytes, folder: Path) -> None:
    """Unpack into a new folder, with the files' permissions. Raises `AwsError` for what is no zip file, is too large
    or leaves the folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
                raise invalid(f"Unzipped size must be smaller than {MOST_UNPACKED} bytes")
            folder.mkdir(parents=True)
            for each in archive.infolist():
                target = Path(archive.extract(each, folder))
                if (mode := each.external_attr >> 16 & 0o777) and target.is_file():
                    target.chmod(mode | 0o400)
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from error


def sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def zipped(name: str, text: str) -> bytes:
    """A zip file with one text file, always the same for the same text."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, text)
    return file.getvalue()
