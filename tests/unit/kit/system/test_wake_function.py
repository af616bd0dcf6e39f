"""The wake function of the template: what fits into a template, and no more rights than it needs."""

from __future__ import annotations

import ast

from tests.support import REPOSITORY
from webordinary_testkit.emulation.services.cloudformation.yaml_source import parse

RESOURCES = parse((REPOSITORY / "kit" / "system" / "integration-test-stack.yaml").read_text())["Resources"]


def test_its_code_is_python_and_fits_into_a_template() -> None:
    code = RESOURCES["WakeFunction"]["Properties"]["Code"]["ZipFile"]
    ast.parse(code)
    assert len(code) <= 4096


def test_its_role_reads_and_starts_the_two_services_and_writes_its_log() -> None:
    (policy,) = RESOURCES["WakeRole"]["Properties"]["Policies"]
    services, logs = policy["PolicyDocument"]["Statement"]
    assert services["Action"] == ["ecs:DescribeServices", "ecs:UpdateService"]
    assert services["Resource"] == [{"Ref": "HermesService"}, {"Ref": "EditService"}]
    assert logs["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert logs["Resource"] == {"Fn::GetAtt": ["WakeLogs", "Arn"]}


def test_the_alarm_on_the_queue_starts_hermes_in_any_case() -> None:
    assert "Condition" not in RESOURCES["MailWaiting"]
    assert RESOURCES["MailWaiting"]["Properties"]["AlarmActions"] == [{"Ref": "HermesWake"}]
