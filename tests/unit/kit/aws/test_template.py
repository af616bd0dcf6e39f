"""`[images]` in kit.toml: an image of the user's in the place of one of the stack's."""

from __future__ import annotations

import pytest

from webordinary_testkit.kit.aws.template import image_choice
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.settings import load

TEMPLATE = """
Parameters:
  WebImage: {Type: String, Default: "acme/web:1"}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - {Name: web, Image: !Ref WebImage}
        - {Name: log, Image: "acme/log:1"}
"""


def test_without_any_each_image_is_itself() -> None:
    assert image_choice(TEMPLATE, {}, {}) == ({}, {"acme/web:1": "acme/web:1", "acme/log:1": "acme/log:1"})


def test_a_parameter_is_given_the_users_image() -> None:
    parameters, images = image_choice(TEMPLATE, {}, {"WebImage": "mine/web:2"})
    assert parameters == {"WebImage": "mine/web:2"}
    assert images == {"mine/web:2": "mine/web:2", "acme/log:1": "acme/log:1"}


def test_an_image_of_the_template_runs_as_the_users() -> None:
    assert image_choice(TEMPLATE, {}, {"acme/log:1": "mine/log"})[1]["acme/log:1"] == "mine/log"


def test_a_name_that_is_neither_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="WepImage") as refused:
        image_choice(TEMPLATE, {}, {"WepImage": "mine/web:2"})
    assert "WebImage" in str(refused.value)


def test_containers_run_on_a_slower_clock_unless_told() -> None:
    assert load({"emulated": {"runtime": "docker"}}, environ={}).emulated.scale == 20
    assert load({"emulated": {"runtime": "docker", "scale": 5}}, environ={}).emulated.scale == 5
    assert load({"emulated": {"runtime": "process", "clock": "scaled"}}, environ={}).emulated.scale == 60
