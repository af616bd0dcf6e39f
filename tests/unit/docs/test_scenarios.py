"""The page of the scenarios has each of them, with each of its steps."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

import pytest

from tests.support import REPOSITORY
from webordinary_testkit.kit.scenarios.registry import Scenario, all_scenarios
from webordinary_testkit.kit.scenarios.steps import journeys
from webordinary_testkit.kit.settings.model import Timeouts

PAGE = REPOSITORY / "docs" / "scenarios.md"
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.DOTALL | re.M))
BUDGETS = dict(re.findall(r"\*(\w+)\* \| (\d+)", PAGE.read_text()))


def steps(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """The number of each step and the constant parts of its name; target budgets after it as `*name*`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step":
            given = node.args[0]
            parts = given.values if isinstance(given, ast.JoinedStr) else [given]
            words = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
            number, _, rest = words[0].partition(" ")
            if not re.fullmatch(r"[a-z]?\d+", number):
                number, rest = "", words[0]
            target = next((keyword.value for keyword in node.keywords if keyword.arg == "target"), None)
            budgets = [f"*{name}*" for name in re.findall(r"timeouts\.(\w+)", ast.unparse(target))] if target else []
            yield number, [rest, *words[1:], *budgets]


def all_steps(scenario: Scenario) -> list[tuple[str, list[str]]]:
    """Its own, and those of the journeys it takes."""
    module = inspect.getmodule(scenario.body)
    assert module is not None
    found = list(steps(ast.parse(inspect.getsource(module))))
    for name, taken in vars(module).items():
        if inspect.isfunction(taken) and taken.__module__ == journeys.__name__:
            found += steps(ast.parse(inspect.getsource(getattr(journeys, name))))
    return found


def line_of(number: str, parts: list[str]) -> re.Pattern[str]:
    head = rf"- \*\*{number}\*\* " if number else "- "
    return re.compile(f"^{head}" + ".*?".join(re.escape(part) for part in parts), re.M)


@pytest.mark.parametrize("scenario", all_scenarios(), ids=lambda scenario: scenario.name)
def test_a_scenario_has_its_place_with_every_step_and_target(scenario: Scenario) -> None:
    section = SECTIONS.get(scenario.name, "")
    assert section, f"docs/scenarios.md has no section ## {scenario.name}"
    wanted = all_steps(scenario)
    assert wanted
    missing = [(number, parts) for number, parts in wanted if not line_of(number, parts).search(section)]
    assert missing == [], f"docs/scenarios.md, section {scenario.name}: these steps are not there as they are called"
    assert len(re.findall(r"^- ", section, re.M)) == len(wanted), "a step that the scenario does not have"
    assert "Red" in section or "red" in section or "finding" in section


def test_there_is_no_section_without_its_scenario() -> None:
    assert set(SECTIONS) == {scenario.name for scenario in all_scenarios()}


def test_budgets_are_those_of_the_settings() -> None:
    budgets = {name: f"{value:g}" for name, value in Timeouts().model_dump().items()}
    assert budgets == BUDGETS
