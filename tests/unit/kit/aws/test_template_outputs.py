"""The stack's outputs, and the images of its template."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kit import a_stack
from webordinary_testkit.kit.aws.deploy import LARGEST_TEMPLATE, template_text
from webordinary_testkit.kit.aws.outputs import Stack, output_key
from webordinary_testkit.kit.aws.template import images, require_programs
from webordinary_testkit.kit.core.errors import InfraError, UsageError


def test_outputs_are_named_as_in_the_template() -> None:
    assert output_key("load_balancer_url") == "LoadBalancerUrl"
    stack = a_stack()
    assert stack.load_balancer_url == stack["LoadBalancerUrl"] == "http://alb.test"


def test_missing_outputs_are_named() -> None:
    outputs = dict(a_stack().outputs)
    del outputs["RepliesQueueUrl"], outputs["IdleSeconds"]
    with pytest.raises(InfraError, match="no output RepliesQueueUrl, IdleSeconds"):
        Stack("it", outputs).verify()


def test_a_stack_of_another_system_has_the_outputs_that_it_has() -> None:
    stack = Stack("queue", {"JobsQueueUrl": "http://sqs.test/jobs"}).verify()
    assert not stack.is_webordinary
    assert stack["JobsQueueUrl"] == "http://sqs.test/jobs"
    assert stack.fault_role_arn == ""
    with pytest.raises(InfraError, match="no output JobQueueUrl") as missing:
        stack["JobQueueUrl"]
    assert missing.value.next == "did you mean JobsQueueUrl?"


def test_the_kits_own_template_has_every_output_the_kit_needs() -> None:
    text = template_text(None)
    assert [key for key in a_stack().outputs if f"  {key}:" not in text] == []


def test_the_kits_own_template_runs_two_images() -> None:
    assert images(template_text(None), {}) == ["webordinary/edit:test", "webordinary/hermes:test"]


def test_a_parameter_changes_the_image() -> None:
    assert "me/edit:1" in images(template_text(None), {"EditImage": "me/edit:1"})


def test_an_image_without_a_program_is_refused_with_the_line_that_helps() -> None:
    with pytest.raises(UsageError) as refused:
        require_programs(template_text(None), {"EditImage": "me/edit:1"}, {"webordinary/hermes:test": ["x"]})
    assert "no program for image 'me/edit:1'" in str(refused.value)
    assert '[emulated.programs] "me/edit:1" = ' in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("text", ["Resources: [", "just text", "Resources: 3", ""])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the template"):
        images(text, {})


def test_literal_images_count_and_computed_ones_are_left_to_cloudformation() -> None:
    template = """
    Resources:
      Task:
        Type: AWS::ECS::TaskDefinition
        Properties:
          ContainerDefinitions:
            - {Name: a, Image: "one:1"}
            - {Name: b, Image: !Sub "${X}:2"}
    """
    assert images(template, {}) == ["one:1"]


def test_a_template_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        template_text(tmp_path / "none.yaml")
    large = tmp_path / "large.yaml"
    large.write_text("#" * (LARGEST_TEMPLATE + 1))
    with pytest.raises(UsageError, match="51,201 bytes"):
        template_text(large)
