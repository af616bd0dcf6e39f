"""What ValidateTemplate refuses, in AWS's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from webordinary_testkit.emulation.services.cloudformation.checks import capabilities, check
from webordinary_testkit.emulation.services.cloudformation.errors import ValidationError
from webordinary_testkit.emulation.services.cloudformation.template import load

QUEUE = "{Type: AWS::SQS::Queue}"


def test_the_integration_test_stack_is_good() -> None:
    check(load(Path("kit/system/integration-test-stack.yaml").read_text()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("just text", "unsupported structure"),
        ("", "unsupported structure"),
        ("Parameters: {}", "At least one Resources member must be defined"),
        ("Resources: {}", "At least one Resources member must be defined"),
        (f"Ressources: {{}}\nResources: {{Q: {QUEUE}}}", r"Invalid template property or properties \[Ressources\]"),
        (f"AWSTemplateFormatVersion: 2011-01-01\nResources: {{Q: {QUEUE}}}", "AWSTemplateFormatVersion"),
        (f"Transform: AWS::Serverless-2016-10-31\nResources: {{Q: {QUEUE}}}", "Transform is not emulated"),
        ("Resources: {my-queue: {Type: AWS::SQS::Queue}}", "Resource name my-queue is non alphanumeric"),
        ("Resources: {Q: {Properties: {}}}", r"\[/Resources/Q\] Every Resources object must contain a Type member"),
        ("Resources: {Q: {Type: AWS::SQS::Queue, Propertys: {}}}", "Invalid template resource property 'Propertys'"),
        ("Resources: {Q: {Type: AWS::SQS::Queue, DeletionPolicy: Keep}}", "DeletionPolicy .* must be one of"),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue, DeletionPolicy: Snapshot}}",
            "does not support DeletionPolicy Snapshot",
        ),
        ("Resources: {Q: {Type: AWS::SQS::Queue, CreationPolicy: {}}}", "CreationPolicy is not emulated"),
        (f"Resources: {{Q: {QUEUE}}}\nOutputs: {{A: {{Description: x}}}}", "must contain a Value"),
        (f"Resources: {{Q: {QUEUE}}}\nParameters: {{A: {{Default: x}}}}", "must contain a Type member"),
    ],
)
def test_a_template_in_a_wrong_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        load(text)


def refused(resources: str) -> str:
    """Why a template is refused: a queue `Q`, and what the test adds."""
    text = f"Conditions: {{Live: !Equals [a, a]}}\nResources:\n  Q: {QUEUE}\n{resources}"
    with pytest.raises(ValidationError) as refusal:
        check(load(text))
    return refusal.value.message


def test_unknown_resource_types_are_named() -> None:
    message = refused("  A: {Type: AWS::Foo::Bar}\n  B: {Type: Custom::Thing}")
    assert message == "Template format error: Unrecognized resource types: [AWS::Foo::Bar, Custom::Thing]"


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}",
            "Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (
            "  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${Nobody}-x'}}",
            "Unresolved resource dependencies [Nobody] in the Resources block",
        ),
        ("  P: {Type: AWS::SQS::Queue, DependsOn: Nobody}", "Unresolved resource dependencies [Nobody]"),
        (
            "Outputs: {O: {Value: !Ref Nobody}}",
            "Unresolved resource dependencies [Nobody] in the Outputs block of the template",
        ),
        (
            "  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Nobody.Arn}}",
            "instance of Fn::GetAtt references undefined resource Nobody",
        ),
        (
            "  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Q.Size}}",
            "resource Q does not support attribute type Size in Fn::GetAtt",
        ),
        (
            "  P: {Type: AWS::SQS::Queue, Condition: Never}",
            "Unresolved condition dependency Never in the Resources block",
        ),
        (
            "  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !If [Never, a, b]}}",
            "Unresolved condition dependency Never in the Resources block",
        ),
        ("Outputs: {O: {Value: x, Condition: Never}}", "Unresolved condition dependency Never in the Outputs block"),
        (
            "  P: {Type: AWS::SQS::Queue, Properties: {QueueName: {'Fn::Length': [a]}}}",
            "Encountered unsupported function: Fn::Length",
        ),
        (
            "  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !Join ['-', a, b]}}",
            "every Fn::Join object requires two parameters",
        ),
        ("  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !Select [0]}}", "every Fn::Select object requires"),
        ("  P: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Q}}", "every Fn::GetAtt object requires two"),
    ],
)
def test_a_name_or_function_that_cannot_be_is_refused(addition: str, message: str) -> None:
    assert message in refused(addition)


def test_a_circle_is_told_by_its_members_and_the_way_round() -> None:
    message = refused(
        "  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}\n"
        "  B: {Type: AWS::SQS::Queue, DependsOn: C}\n"
        "  C: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'x${A}'}}"
    )
    assert message == "Circular dependency between resources: [A, B, C] (A -> B -> C -> A)"


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ("{A: !Equals [!Ref Q, x]}", "Cannot reference resources in the Conditions block"),
        ("{A: !Not [Condition: B]}", "Unresolved condition dependency B in the Conditions block"),
        ("{A: !Not [Condition: B], B: !Not [Condition: A]}", "Circular dependency between conditions"),
        ("{A: !And [Condition: A]}", "every Fn::And object requires"),
    ],
)
def test_a_condition_that_cannot_be_decided_is_refused(conditions: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(load(f"Conditions: {conditions}\nResources: {{Q: {QUEUE}}}"))


ROLE = "R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}"


@pytest.mark.parametrize(
    ("resources", "capability"),
    [
        (f"Q: {QUEUE}", None),
        (f"{ROLE}}}}}", "CAPABILITY_IAM"),
        (f"{ROLE}, RoleName: r}}}}", "CAPABILITY_NAMED_IAM"),
        ("P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, PolicyDocument: {}}}", "CAPABILITY_IAM"),
    ],
)
def test_iam_takes_a_capability(resources: str, capability: str | None) -> None:
    assert capabilities(load(f"Resources:\n  {resources}"))[0] == capability
