"""Merges the settings' layers; an error names the wrong key and its layer."""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import EnvSettingsSource
from pydantic_settings.exceptions import SettingsError

from ..core.errors import UsageError
from .model import Settings
from .profiles import PROFILES

FILE = "kit.toml"
DOCKER_SCALE = 20
"""The default scale where tasks are containers: starting one takes a third of a second."""
ASTRO_SCALE = 5
"""The same where Astro may render the pages: an idle minute must outlast its first page, 5 to 8 s on two busy
cores."""
PREFIX = "KIT_"
_OTHERS = {"KIT_CACHE"}
"""Variables of the environment that are not settings of a run: the folder of downloads for builds."""

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """One source of settings: its name in messages, and its values."""

    name: str
    values: Mapping[str, Any]

    def spelled(self, keys: Keys) -> str:
        """A key as users write it in this layer."""
        return ".".join(keys)


class EnvironmentLayer(Layer):
    def spelled(self, keys: Keys) -> str:
        return PREFIX + "__".join(keys).upper()


def load(
    overrides: Mapping[str, Any] | None = None,
    *,
    defaults: Mapping[str, Any] | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of this run; `overrides` of the command line come first, `defaults` last.

    `file` defaults to `kit.toml` in the working directory, which may be absent; a named file must exist.
    Raises `UsageError` that names the key, its layer and the nearest valid key.
    """
    command_line = Layer("the command line", overrides or {})
    environment = _environment(os.environ if environ is None else environ)
    toml = _file(file)
    layers = [command_line, environment, toml]
    for layer in layers:
        _refuse_unknown(layer)
    name = next((str(layer.values["profile"]) for layer in layers if layer.values.get("profile")), "")
    layers.append(Layer(f"profile {name!r}", PROFILES.get(name, {})))
    layers.append(Layer("the command's own defaults", defaults or {}))
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged = _merged(merged, layer.values)
    emulated = merged.get("emulated", {})
    if isinstance(emulated, dict):
        merged["emulated"] = _timed(emulated)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise _wrong_value(error, layers) from None


def _timed(emulated: Mapping[str, Any]) -> dict[str, Any]:
    """With the clock that suits the other settings, where none is given. Raises `UsageError` for a scale that the clock
    does not have."""
    scale, clock = emulated.get("scale"), emulated.get("clock")
    if clock is None:
        clock = "autojump" if scale is None and _jumps(emulated) else "scaled"
    if clock == "autojump" and scale is not None:
        raise UsageError(
            f"emulated.scale = {scale} with emulated.clock = {clock!r}: a clock that jumps has no scale",
            next='leave the scale out, or set emulated.clock = "scaled"',
        )
    if clock == "real" and scale not in (None, 1):
        raise UsageError(
            f"emulated.scale = {scale} with emulated.clock = {clock!r}: in real time the scale is 1",
            next='leave the scale out, or set emulated.clock = "scaled"',
        )
    usual = _usual_scale(emulated) if clock == "scaled" else {"scale": 1}
    return {**usual, **emulated, "clock": clock}


def _jumps(emulated: Mapping[str, Any]) -> bool:
    """Whether the clock of the emulated cloud can watch every program of a run."""
    return (
        sys.platform == "linux"
        and emulated.get("runtime", "process") == "process"
        and emulated.get("base", "moto") == "moto"
        and emulated.get("preview", "builtin") == "builtin"
        and not emulated.get("programs")
        and not emulated.get("endpoint")
    )


def _usual_scale(emulated: Mapping[str, Any]) -> dict[str, float]:
    """The default scale, where it differs from the model's."""
    if emulated.get("preview") in ("astro", "auto"):
        return {"scale": ASTRO_SCALE}
    return {"scale": DOCKER_SCALE} if emulated.get("runtime") == "docker" else {}


def _file(path: Path | None) -> Layer:
    chosen = Path(FILE) if path is None else path
    try:
        return Layer(str(chosen), tomllib.loads(chosen.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if path is None:
            return Layer(FILE, {})
        raise UsageError(
            f"the settings file {chosen} does not exist", next=f"create it, or leave out --settings to use {FILE}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file cannot be read as TOML: {error}", where=str(chosen.resolve())) from None


def _environment(environ: Mapping[str, str]) -> Layer:
    ours = {name: value for name, value in environ.items() if name.upper().startswith(PREFIX) and name not in _OTHERS}
    if not ours:
        return EnvironmentLayer("the environment", {})
    unparsed: dict[str, Any] = {}
    for name, value in ours.items():
        keys = tuple(name[len(PREFIX) :].lower().split("__"))
        field: Any = unparsed
        for key in keys[:-1]:
            field = field.setdefault(key, {})
            if not isinstance(field, dict):
                raise UsageError(f"{name} conflicts with {PREFIX}{key.upper()}", where="the environment")
        field[keys[-1]] = value
    _refuse_unknown(EnvironmentLayer("the environment", unparsed))
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in ours.items()}
    try:
        return EnvironmentLayer("the environment", source())
    except SettingsError as error:
        raise UsageError(
            f"{error}: {error.__cause__}", where="the environment", next="lists and tables are written as JSON"
        ) from None


def _known(model: type[BaseModel], above: Keys = ()) -> Iterator[tuple[Keys, type[BaseModel] | None]]:
    """Every key, with its model when it is a section."""
    for name, info in model.model_fields.items():
        section = (
            info.annotation if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel) else None
        )
        yield (*above, name), section
        if section is not None:
            yield from _known(section, (*above, name))


def _refuse_unknown(layer: Layer, values: Mapping[str, Any] | None = None, above: Keys = ()) -> None:
    known = dict(_known(Settings))
    for key, value in (layer.values if values is None else values).items():
        keys = (*above, key)
        if keys not in known:
            raise UsageError(
                f"unknown setting {layer.spelled(keys)!r}",
                where=layer.name,
                next=f"did you mean {layer.spelled(_nearest(keys, list(known)))!r}?",
            )
        if known[keys] is None:
            continue
        if not isinstance(value, Mapping):
            raise UsageError(
                f"{layer.spelled(keys)!r} is a section, not a value", where=layer.name, next=_example(keys, list(known))
            )
        _refuse_unknown(layer, value, keys)


def _nearest(keys: Keys, known: list[Keys]) -> Keys:
    """The known key with the most similar spelling; a right name in the wrong section counts as similar."""

    def likeness(other: Keys) -> float:
        whole = difflib.SequenceMatcher(None, ".".join(keys), ".".join(other)).ratio()
        leaf = difflib.SequenceMatcher(None, keys[-1], other[-1]).ratio()
        same_section = 0.2 if keys[:-1] == other[:-1] else 0.0
        return max(whole, leaf) + same_section

    return max(known, key=likeness)


def _example(keys: Keys, known: list[Keys]) -> str:
    below = next(other for other in known if other[: len(keys)] == keys and len(other) > len(keys))
    return f"set one of its keys, for example {'.'.join(below)}"


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _wrong_value(error: ValidationError, layers: list[Layer]) -> UsageError:
    first = error.errors(include_url=False)[0]
    keys = tuple(str(key) for key in first["loc"])
    for layer in layers:
        held: Any = layer.values
        depth = 0
        while isinstance(held, Mapping) and depth < len(keys) and keys[depth] in held:
            held, depth = held[keys[depth]], depth + 1
        if depth and not (isinstance(held, Mapping) and depth < len(keys)):
            return UsageError(f"{layer.spelled(keys)} = {first['input']!r}: {first['msg']}", where=layer.name)
    return UsageError(f"{'.'.join(keys)}: {first['msg']}", where="the settings")
