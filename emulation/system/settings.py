"""Reads a program's settings from its environment; says everything that is wrong with it at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from .clock import Clock

SettingsT = TypeVar("SettingsT")


class SettingsError(Exception):
    """The environment does not describe a program that can run; the message names each variable."""


class Environment:
    """Reads variables and collects what is missing or malformed; `done()` raises if anything was."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._problems: list[str] = []

    def text(self, *names: str, default: str | None = None) -> str:
        """The first of these variables that is set and not empty."""
        for name in names:
            if value := self._variables.get(name, "").strip():
                return value
        if default is None:
            self._problems.append(f"{' or '.join(names)} is not set")
        return default or ""

    def number(self, name: str, *, default: float | None = None, at_least: float = 0) -> float:
        text = self.text(name, default=None if default is None else str(default))
        if not text:
            return 0
        try:
            value = float(text)
        except ValueError:
            self._problems.append(f"{name} must be a number, got {text!r}")
            return 0
        if value < at_least:
            self._problems.append(f"{name} must be at least {at_least:g}, got {text}")
        return value

    def port(self, name: str) -> int:
        value = self.number(name)
        if not 0 <= value <= 65535:
            self._problems.append(f"{name} must be a port between 0 and 65535, got {value:g}")
        return int(value)

    def url(self, name: str) -> str:
        """An http(s) URL without a slash at its end."""
        value = self.text(name)
        if value and not value.startswith(("http://", "https://")):
            self._problems.append(f"{name} must start with http:// or https://, got {value!r}")
        return value.rstrip("/")

    def clock(self) -> Clock:
        try:
            return Clock.of(self._variables)
        except ValueError as error:
            self._problems.append(str(error))
            return Clock()

    def done(self) -> None:
        if self._problems:
            raise SettingsError("; ".join(self._problems))


def read_or_exit(
    program: str, read: Callable[[Mapping[str, str]], SettingsT], variables: Mapping[str, str]
) -> SettingsT:
    """The program's settings, or exit status 2 with one line on stderr that names what is wrong."""
    try:
        return read(variables)
    except SettingsError as error:
        sys.stderr.write(f"{program}: cannot start: {error}. It is configured by environment variables only.\n")
        raise SystemExit(2) from None
