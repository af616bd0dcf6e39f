"""Checks credentials, account, region and clock."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from ..aws.client import Aws
from ..core.clock import Clock, epoch, iso
from ..settings import Settings
from .finding import DoctorFinding, fail, ok, warn

_SOON = 3600.0
"""AWS seconds: a run of all scenarios takes most of an hour on AWS."""
_SKEWED, _REFUSED = 30.0, 240.0
"""AWS seconds; AWS refuses a signature that is five minutes off."""


async def account(settings: Settings, aws: Aws, identity: Mapping[str, Any]) -> Sequence[DoctorFinding]:
    if identity["Account"] != settings.account:
        return [
            fail(
                "account",
                f"{identity['Account']} ({identity['Arn']}), and the settings expect {settings.account}",
                f'use other credentials (aws_profile); if that is the one: account = "{identity["Account"]}"',
            )
        ]
    production = settings.production.account
    if production and production == settings.account:
        seen = f"{settings.account} is the production account; the kit's names and tags keep it apart"
        return [warn("account", seen, "a separate account is safer: account, aws_profile")]
    return [ok("account", f"{identity['Account']} as {identity['Arn']}")]


async def credentials(settings: Settings, aws: Aws, clock: Clock) -> Sequence[DoctorFinding]:
    """Checks their expiry. The kit renews roles that it assumes."""
    found = await aws.credentials()
    if found is None:
        return [fail("credentials", "none", "set aws_profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    if settings.live.role:
        return [ok("credentials", f"role {settings.live.role}, renewed automatically")]
    until = _expiry(found, os.environ.get("AWS_CREDENTIAL_EXPIRATION", ""))
    if until is not None:
        left = until - clock.now()
        seen = f"until {iso(until)}, for {left / 60:.0f} min"
        if left <= 0:
            return [fail("credentials", f"expired since {iso(until)}", "renew them: aws sso login")]
        return (
            [ok("credentials", seen)] if left > _SOON else [warn("credentials", seen, "renew them before a long run")]
        )
    if found.get_frozen_credentials().token:
        return [ok("credentials", "temporary, with unknown expiry (AWS_CREDENTIAL_EXPIRATION is not set)")]
    return [ok("credentials", "they do not expire; a role is safer: live.role")]


def _expiry(found: Any, exported: str) -> float | None:
    expiry = getattr(found, "_expiry_time", None)
    if expiry is not None:
        return float(expiry.timestamp())
    if not exported:
        return None
    try:
        return epoch(exported)
    except ValueError:
        return None


async def region(settings: Settings) -> Sequence[DoctorFinding]:
    """Compares the settings with the environment, which other tools use."""
    exported = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if exported and exported != settings.region:
        seen = f"{settings.region}, and the environment says {exported}"
        return [warn("region", seen, f'set the same in both: region = "{exported}", or AWS_REGION={settings.region}')]
    return [ok("region", settings.region)]


async def skew(aws: Aws, clock: Clock) -> Sequence[DoctorFinding]:
    """Compares this machine's clock with the server's, which has whole seconds."""
    before = clock.now()
    answer = await aws.call("sts", "get_caller_identity")
    took = clock.now() - before
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    if "date" not in headers:
        return [warn("clock", "the server sends no date", "look at the endpoint")]
    theirs = parsedate_to_datetime(headers["date"]).timestamp()
    ours = before + took / 2
    off = max(0.0, abs(ours - theirs) - took / 2 - 1)
    seen = f"{off:.0f} AWS s off" if off else "right to the second"
    if off > _REFUSED:
        return [fail("clock", seen, "set this machine's clock: AWS refuses signatures that are five minutes off")]
    if off > _SKEWED:
        return [warn("clock", seen, "set this machine's clock; waits and expiries are measured by it")]
    return [ok("clock", seen)]
