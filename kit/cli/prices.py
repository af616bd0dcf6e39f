"""Show the price table with sources and dates, or refresh it from AWS."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from . import common

if TYPE_CHECKING:
    from ..settings import Settings

HELP = "show the price table, or refresh it from AWS"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("what", nargs="?", choices=("show", "refresh"), default="show", help="default: show")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    settings = common.load_settings(args)
    return _refresh(settings) if args.what == "refresh" else _show(settings, as_json=args.json)


def _show(settings: Settings, *, as_json: bool) -> int:
    from ..cost.prices import load_prices  # noqa: PLC0415 - what --help need not wait for

    table = load_prices(settings)
    if as_json:
        fields = ("usd", "per", "unit", "what", "source", "seen")
        common.say_json({price.key: {field: getattr(price, field) for field in fields} for price in table})
        return 0
    width = max(len(price.key) for price in table)
    common.say(f"US dollars, list prices of {table.region}; free tiers are left out")
    for price in table:
        per = f"{price.per:,} × {price.unit}" if price.per != 1 else price.unit
        common.say(f"{price.key:<{width}}  {price.usd:<9.7g} per {per}: {price.what}")
        seen = f", {price.seen}" if price.seen else ""
        common.say(f"{'':<{width}}  {price.source}{seen}")
    if not table.holds_in(settings.region):
        common.say(f"\nThese are not the prices of {settings.region}: kit prices refresh")
    return 0


def _refresh(settings: Settings) -> int:
    from ..cost.pricelist import refresh, write  # noqa: PLC0415 - what --help need not wait for
    from ..cost.prices import shipped_prices  # noqa: PLC0415

    table, path = shipped_prices(), settings.cost.price_file
    refreshed = refresh(_client(settings), table, settings.region)
    write(path, refreshed, settings.region)
    common.say(f"{path}: {len(refreshed.prices)} prices of {settings.region}, published {refreshed.published or '?'}")
    for key, usd in refreshed.prices.items():
        if abs(usd - table[key].usd) > 1e-9 * max(usd, table[key].usd):
            common.say(f"  {key}: {usd:.7g}, the kit ships {table[key].usd:.7g}")
    if refreshed.kept:
        common.say(f"kept as shipped, because the price list has no single answer: {', '.join(refreshed.kept)}")
    return 0


def _client(settings: Settings) -> Any:
    """A client for the price list, in the region that has one; AWS_ENDPOINT_URL and the AWS configuration apply."""
    import boto3  # noqa: PLC0415 - heavy: only where a call is made
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    from ..core.errors import InfraError  # noqa: PLC0415
    from ..cost.pricelist import REGION  # noqa: PLC0415

    try:
        session = boto3.Session(profile_name=settings.aws_profile or None)
        return session.client("pricing", region_name=REGION, config=Config(retries={"mode": "standard"}))
    except BotoCoreError as error:
        raise InfraError(f"no AWS session: {error}", next="set aws_profile, or AWS_ACCESS_KEY_ID …") from error
