"""The public names: complete, lazy, typed, and the same under both imports."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

import webordinary_testkit
from tests.support import REPOSITORY
from webordinary_testkit import kit


@pytest.mark.parametrize("name", kit.__all__)
def test_each_public_name_is_there_and_the_same_in_both_packages(name: str) -> None:
    assert getattr(kit, name) is getattr(webordinary_testkit, name)
    assert name in dir(webordinary_testkit)


def test_type_checkers_see_every_public_name() -> None:
    tree = ast.parse((REPOSITORY / "kit" / "__init__.py").read_text())
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(checked)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(kit.__all__)


@pytest.mark.parametrize("package", [kit, webordinary_testkit])
def test_an_unknown_name_is_answered_with_the_nearest(package: object) -> None:
    with pytest.raises(AttributeError, match="has no public name 'Harnes'; did you mean 'Harness'"):
        package.Harnes  # type: ignore[attr-defined]  # noqa: B018 - the error is the point


@pytest.mark.parametrize("name", ["kit", "webordinary_testkit"])
def test_importing_the_package_imports_none_of_its_rooms(name: str) -> None:
    code = f"import sys, {name}; print([m for m in sys.modules if m.startswith('webordinary_testkit.kit.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    rooms = [
        module for module in ast.literal_eval(done.stdout) if not module.startswith("webordinary_testkit.kit.core")
    ]
    assert rooms == []


def test_kit_imported_from_the_repository_has_the_same_classes() -> None:
    code = "import kit, webordinary_testkit; print(kit.Verdict is webordinary_testkit.Verdict)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
