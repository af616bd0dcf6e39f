"""Scenarios, faults, checkers and backends of other packages: found, and refused with the place that names them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from webordinary_testkit import Clock, History, UsageError, faults
from webordinary_testkit.kit.backends.registry import registered_backend
from webordinary_testkit.kit.core import extensions, extras
from webordinary_testkit.kit.core.extensions import objects, references
from webordinary_testkit.kit.faults import registry as fault_registry
from webordinary_testkit.kit.scenarios import registry
from webordinary_testkit.kit.scenarios.registry import all_scenarios, select
from webordinary_testkit.kit.settings import load

SCENARIO = """
from webordinary_testkit import scenario

@scenario({name!r}, proves="something")
async def body(h):
    pass
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory; what is imported and registered from it is forgotten at the end."""
    all_scenarios()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(registry, "_REGISTER", dict(registry._REGISTER))
    monkeypatch.setattr(fault_registry, "_REGISTERED", {})
    modules = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - modules:
        if name.startswith("acme"):
            del sys.modules[name]


def written(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_a_package_of_scenarios_is_found_from_the_working_directory_and_runs_by_default(project: Path) -> None:
    written(project, "acme/__init__.py", "")
    written(project, "acme/orders.py", SCENARIO.format(name="orders"))
    written(project, "acme/refunds.py", SCENARIO.format(name="refunds"))
    assert [one.name for one in select([], ["acme"])] == ["orders", "refunds"]
    assert [one.name for one in select(["cold_start", "orders"], ["acme"])] == ["cold_start", "orders"]
    assert [one.name for one in all_scenarios(["acme"])][-2:] == ["orders", "refunds"]


def test_a_module_that_does_not_exist_is_named_with_the_setting(project: Path) -> None:
    with pytest.raises(UsageError, match="there is no module 'acme_nowhere'") as refused:
        all_scenarios(["acme_nowhere"])
    assert refused.value.where == "the setting 'scenarios'"


def test_an_import_that_fails_inside_a_module_is_its_own_error(project: Path) -> None:
    written(project, "acme_broken.py", "import nowhere_at_all")
    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        all_scenarios(["acme_broken"])


def test_a_module_that_registers_nothing_is_refused(project: Path) -> None:
    written(project, "acme_empty.py", "")
    with pytest.raises(UsageError, match="module 'acme_empty' registers no scenario"):
        all_scenarios(["acme_empty"])


def test_a_name_of_the_kits_is_refused_with_both_places(project: Path) -> None:
    written(project, "acme_double.py", SCENARIO.format(name="cold_start"))
    with pytest.raises(UsageError, match="two scenarios called 'cold_start'") as refused:
        all_scenarios(["acme_double"])
    assert "acme_double" in refused.value.where
    assert "kit.scenarios.cold_start" in refused.value.where


def test_entry_points_come_after_the_settings_and_say_where_they_are_from(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = EntryPoints([EntryPoint("acme", "acme_points", "kit.scenarios")])
    monkeypatch.setattr(extensions.importlib.metadata, "entry_points", lambda group: points.select(group=group))
    written(project, "acme_points.py", SCENARIO.format(name="by_entry_point"))
    assert [one.target for one in references("scenarios", ["acme_points"])] == ["acme_points"]
    assert "the entry point 'acme'" in references("scenarios")[0].source
    assert "by_entry_point" in [one.name for one in select([])]


def test_an_object_is_found_or_the_nearest_name_is_told(project: Path) -> None:
    written(project, "acme_checks.py", "def each_once(events): ...\n")
    assert list(objects("checkers", ["acme_checks:each_once"])) == ["each_once"]
    with pytest.raises(UsageError, match="has no 'each_onc'") as refused:
        objects("checkers", ["acme_checks:each_onc"])
    assert refused.value.next == "did you mean 'each_once'?"
    with pytest.raises(UsageError, match="names a module, not an object"):
        objects("checkers", ["acme_checks"])


def test_two_objects_of_one_name_are_refused(project: Path) -> None:
    written(project, "acme_one.py", "each_once = print\n")
    written(project, "acme_two.py", "each_once = print\n")
    with pytest.raises(UsageError, match="two checkers called 'each_once'"):
        objects("checkers", ["acme_one:each_once", "acme_two:each_once"])


def test_a_registered_fault_is_an_attribute_beside_the_kits(project: Path) -> None:
    written(
        project,
        "acme_faults.py",
        "class Lose:\n    needs = visibility = within = target = inject = None\n"
        "class StopTask(Lose): ...\nclass Half:\n    needs = ()\n",
    )
    faults.register(["acme_faults:Lose"])
    assert faults.Lose.__module__ == "acme_faults"
    with pytest.raises(UsageError, match="two faults called 'StopTask'"):
        faults.register(["acme_faults:StopTask"])
    with pytest.raises(UsageError, match="'Half' is not a fault: it has no visibility, within, target, inject"):
        faults.register(["acme_faults:Half"])
    with pytest.raises(AttributeError, match="did you mean 'StopTask'"):
        _ = faults.StopTasks


def test_a_backend_of_another_package_is_made_with_the_settings_the_folder_and_the_history(project: Path) -> None:
    written(
        project,
        "acme_cloud.py",
        "class AcmeBackend:\n    def __init__(self, *given):\n        self.given = given\n",
    )
    settings = load({"backend": "acme_cloud:AcmeBackend"}, environ={})
    history = History(Clock())
    made = registered_backend(settings, project, history)
    assert type(made).__module__ == "acme_cloud"
    assert vars(made)["given"] == (settings, project, history)
    with pytest.raises(UsageError, match="no backend is called 'acme'"):
        registered_backend(load({"backend": "acme"}, environ={}), project, history)


def test_a_missing_extra_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.MODULES, "docker", ["json", "module_that_is_not_there"])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the Docker runtime needs module_that_is_not_there") as refused:
        extras.require("docker", "the Docker runtime")
    assert refused.value.next == "pip install 'webordinary-test-kit[docker]'"
