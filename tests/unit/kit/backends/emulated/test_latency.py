"""Which latency profile the settings choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from webordinary_testkit.emulation.time.profile import known
from webordinary_testkit.kit.backends.emulated.latency import KNOWN, chosen
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.settings.model import Emulated, Settings


def settings(latency: str | None) -> Settings:
    return Settings(emulated=Emulated(latency=latency))


def test_the_kit_knows_the_profiles_of_the_cloud() -> None:
    assert sorted(KNOWN) == sorted(known())


def test_unset_is_none_and_names_are_passed_on() -> None:
    assert [chosen(settings(name)) for name in (None, "none", "published")] == ["none", "none", "published"]


def test_a_file_is_passed_on_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert chosen(settings("mine.toml")) == str(tmp_path / "mine.toml")


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'publshed'; there are none, published, and the path of a TOML file"):
        chosen(settings("publshed"))
