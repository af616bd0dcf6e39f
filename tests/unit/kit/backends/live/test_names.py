"""How long a stack's name may be, by the roles of its template."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kit import some_settings
from webordinary_testkit.kit.aws.deploy import template_text
from webordinary_testkit.kit.aws.template import Template
from webordinary_testkit.kit.backends.live.names import ROLE_NAME, SUFFIX, longest_stack_name, refuse_long_name
from webordinary_testkit.kit.backends.live.stack import plan_stack
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.settings.model import LONGEST_STACK_NAME


def a_template(*ids: str, **properties: str) -> Template:
    return Template({"Resources": {id: {"Type": "AWS::IAM::Role", "Properties": properties} for id in ids}}, {})


def test_the_settings_take_what_the_kits_own_template_takes() -> None:
    assert longest_stack_name(Template.read(template_text(None))) == LONGEST_STACK_NAME


def test_the_longest_role_decides() -> None:
    most = longest_stack_name(a_template("Role", "AnotherRole"))
    assert len("s" * most + "-AnotherRole-") + SUFFIX == ROLE_NAME


def test_roles_that_are_named_are_not_cut() -> None:
    assert longest_stack_name(a_template("AnotherRole", RoleName="mine")) == ROLE_NAME


def test_a_name_that_is_too_long_is_told_with_one_that_is_not() -> None:
    template = a_template("ARoleOfATemplateOfSomebodysOwn")
    refuse_long_name("s" * longest_stack_name(template), template)
    with pytest.raises(
        UsageError, match=r"(?s)has 30 characters, and with this template it may have 19.*choose a short"
    ):
        refuse_long_name("s" * 30, template)


def test_a_live_run_of_such_a_template_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("Resources: {ARoleOfATemplateOfSomebodysOwn: {Type: 'AWS::IAM::Role'}}")
    with pytest.raises(UsageError, match="it may have 19"):
        plan_stack(some_settings(stack={"name": "s" * 30, "template": tmp_path / "own.yaml"}))
