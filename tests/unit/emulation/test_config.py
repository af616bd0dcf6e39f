"""Settings from JSON: what is wrong is named with what would be right."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from webordinary_testkit.emulation import config
from webordinary_testkit.emulation.config import CloudConfig, from_json


def test_nothing_given_is_the_defaults() -> None:
    assert from_json("{}", "--config") == CloudConfig()


def test_every_setting_has_a_kind() -> None:
    assert config._KINDS.keys() == {item.name for item in dataclasses.fields(CloudConfig)}


def test_all_that_can_be_given() -> None:
    given = {
        "region": "eu-central-1",
        "account": "111122223333",
        "scale": 1,
        "port": 4566,
        "smtp_port": 2525,
        "programs": {"web:1": ["python", "web.py"]},
        "workdir": "/tmp/w",
        "record": "/tmp/calls.jsonl",
        "seed": 3,
    }

    made = from_json(json.dumps(given), "--config")

    assert made == CloudConfig(**{**given, "workdir": Path("/tmp/w"), "record": Path("/tmp/calls.jsonl")})  # type: ignore[arg-type] # a literal


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"scal": 60}', r"unknown key 'scal'; there are account, .*load_balancer_port"),
        ("{", "is not JSON"),
        ("[]", "must be a JSON object"),
        ('{"port": "4566"}', 'port must be a port number, got "4566"'),
        ('{"port": true}', "port must be a port number, got true"),
        ('{"port": 65536}', "port must be 0 .any free one. to 65535, got 65536"),
        ('{"scale": 0}', "scale must be above 0"),
        ('{"account": "12"}', "account must be 12 digits, got '12'"),
        ('{"region": "Oregon"}', "region must be an AWS region such as us-west-2, got 'Oregon'"),
        ('{"programs": {"web:1": "python web.py"}}', "programs must be an object of image names and commands"),
        ('{"programs": {"web:1": []}}', "programs must be an object of image names and commands"),
        ('{"seed": 1.5}', "seed must be an integer or null"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(text, "--config")


def test_the_source_is_named() -> None:
    with pytest.raises(ValueError, match=r"^cloud\.json: account"):
        from_json('{"account": "12"}', "cloud.json")
