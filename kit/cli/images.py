"""Build the container images of the reference system and the emulated cloud, and check them before a run."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..core.extras import require
from . import common

if TYPE_CHECKING:
    from ..images.check import ImageCheck

HELP = "build and check container images"


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="build|check", required=True)
    build = actions.add_parser("build", help="build what is not up to date, and tag it :test")
    build.add_argument("image", nargs="*", help="hermes, edit, cloud (default: all)")
    build.add_argument(
        "--base",
        metavar="IMAGE",
        help="base image, with Python 3.11+, git and CA certificates; or how to make one: registry, debootstrap "
        "(default: from a registry, or from Debian packages if none can be reached)",
    )
    build.set_defaults(action=_build)
    check = actions.add_parser("check", help="compare the images and what runs with these sources and this machine")
    check.add_argument("image", nargs="*", help="hermes, edit, cloud (default: all)")
    common.settings_arguments(check)
    check.set_defaults(action=_check)
    for action in (build, check):
        action.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    require("docker", "kit images")
    code: int = args.action(args)
    return code


def _build(args: argparse.Namespace) -> int:
    from ..backends.emulated.programs import image_recipes  # noqa: PLC0415 - heavy: only where images are
    from ..images.build import build  # noqa: PLC0415
    from ..images.engine import engine  # noqa: PLC0415
    from ..images.recipes import read  # noqa: PLC0415

    recipes = read(image_recipes())
    chosen = recipes.chosen(args.image)
    with engine() as used:
        built = build(used, recipes, chosen, base_name=args.base, say=_quiet if args.json else common.say)
    if args.json:
        common.say_json([asdict(image) for image in built])
    for image in () if args.json else built:
        common.say(
            f"{image.tag}  {image.id[:19]}  {image.size / 1e6:.0f} MB, {image.above_base / 1e6:.0f} above its base"
            f"{'' if image.fresh else '  (was up to date)'}"
        )
    return 0


def _check(args: argparse.Namespace) -> int:
    from ..backends.emulated.programs import image_recipes  # noqa: PLC0415 - heavy: only where images are
    from ..images.check import check  # noqa: PLC0415
    from ..images.engine import engine  # noqa: PLC0415
    from ..images.recipes import read  # noqa: PLC0415

    recipes = read(image_recipes()).chosen(args.image)
    with engine() as used:
        found = check(used, recipes, () if args.image else _others(args))
    if args.json:
        common.say_json([asdict(finding) for finding in found])
    else:
        _tell(found)
    return int(any(finding.wrong for finding in found))


def _others(args: argparse.Namespace) -> list[str]:
    """The stack's images that the settings name."""
    from ..aws.deploy import template_text  # noqa: PLC0415 - heavy: only where images are
    from ..aws.template import image_choice, images  # noqa: PLC0415

    settings = common.load_settings(args)
    template = template_text(settings.stack.template)
    parameters, instead = image_choice(template, settings.stack.parameters, settings.images)
    return [instead.get(image, image) for image in images(template, parameters)]


def _tell(found: list[ImageCheck]) -> None:
    for finding in found:
        line = f"{finding.image}  {finding.digest[:19]}  {finding.architecture}".rstrip()
        common.say(f"{line}  {finding.wrong or _unless(finding.note)}")
        if finding.next:
            common.say(f"  next:  {finding.next}")


def _unless(note: str) -> str:
    if not note:
        return "as built from these sources"
    return f"according to its label built from these sources, but its digest could not be compared: {note}"


def _quiet(text: str) -> None:
    del text
