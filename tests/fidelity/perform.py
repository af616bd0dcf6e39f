"""Performs a fact on a cloud, and says how the answer differs from AWS's."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import jmespath
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from jmespath.exceptions import JMESPathTypeError

from .facts import Call, Fact, Matches

UNTIL_WITHIN = 60.0
"""Wall seconds for `until`."""
NAME = re.compile(r"\$(\w+)")
_SESSION = boto3.session.Session()


@dataclass(frozen=True)
class Target:
    """A cloud that facts are asked of."""

    name: str
    endpoint: str | None
    """None: AWS."""
    region: str
    account: str
    keys: Mapping[str, str] = field(default_factory=dict)
    """`aws_access_key_id` and so on; empty: those of the environment."""
    scale: float = 1.0
    """AWS seconds for each wall second."""

    def client(self, service: str) -> Any:
        return _client(service, self.endpoint, self.region, tuple(self.keys.items()))


@cache
def _client(service: str, endpoint: str | None, region: str, keys: tuple[tuple[str, str], ...]) -> Any:
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, max_pool_connections=16)
    return _SESSION.client(service, endpoint_url=endpoint, region_name=region, config=config, **dict(keys))


@dataclass(frozen=True)
class Answer:
    content: Mapping[str, Any]
    error: str = ""
    status: int = 200
    message: str = ""


def difference(fact: Fact, target: Target) -> str:
    """Empty when the target answers as AWS does; otherwise what was expected and what was seen."""
    names = {"name": f"fact-{uuid.uuid4().hex[:12]}", "account": target.account, "region": target.region, **fact.names}
    answer = Answer({})
    try:
        for call in fact.calls:
            if answer.error:
                return f"an earlier call was refused: {answer.error}: {answer.message}"
            answer = _until(call, target, names)
            names |= {name: _part(path, answer.content) for name, path in call.keep.items()}
    except (BotoCoreError, ResponseParserError, TimeoutError, TypeError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return _refusal(fact, answer, names) if fact.error else _answer(fact, answer, names)


def _until(call: Call, target: Target, names: Mapping[str, Any]) -> Answer:
    if call.after:
        time.sleep(call.after / target.scale)
    parameters, method = filled(call.parameters, names), xform_name(filled(call.operation, names))
    end = time.monotonic() + UNTIL_WITHIN
    while True:
        answer = _answer_of(lambda: getattr(target.client(call.service), method)(**parameters))
        if not call.until or not _differences(filled(call.until, names), answer.content):
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"{call.operation} did not answer {call.until} within {UNTIL_WITHIN:.0f} s")
        time.sleep(0.1)


def _answer_of(call: Callable[[], dict[str, Any]]) -> Answer:
    try:
        content = call()
    except ClientError as error:
        details = error.response.get("Error", {})
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return Answer(error.response, details.get("Code", ""), status, details.get("Message", ""))
    return Answer({name: _read(value) for name, value in content.items()})


def _read(value: Any) -> Any:
    return value.read().decode("utf-8", "replace") if hasattr(value, "read") else value


def _refusal(fact: Fact, answer: Answer, names: Mapping[str, Any]) -> str:
    code = filled(fact.error, names)
    if code != answer.error or fact.status != answer.status:
        seen = f"{answer.error} {answer.status}: {answer.message}" if answer.error else f"accepted: {answer.content}"
        return f"expected {code} {fact.status}, saw {seen[:400]}"
    if fact.message is not None and (wanted := filled(fact.message, names)) != answer.message:
        return f"expected the message {wanted!r}, saw {answer.message!r}"
    return ""


def _answer(fact: Fact, answer: Answer, names: Mapping[str, Any]) -> str:
    if answer.error:
        return f"expected an answer, saw {answer.error} {answer.status}: {answer.message}"
    return "; ".join(_differences(filled(fact.expect, names), answer.content))


def _differences(expected: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    found = {path: _part(path, content) for path in expected}
    return [
        f"{path}: expected {wanted!r}, saw {found[path]!r}"
        for path, wanted in expected.items()
        if wanted != found[path]
    ]


def _part(path: str, content: Mapping[str, Any]) -> Any:
    """None where the path, or what a function of it takes, is absent."""
    try:
        return jmespath.search(path, content)
    except JMESPathTypeError:
        return None


def filled(value: Any, names: Mapping[str, Any]) -> Any:
    """`value` with each `$name` replaced; a text that is one name alone becomes the value itself."""
    if isinstance(value, str):
        alone = NAME.fullmatch(value)
        if alone and alone[1] in names:
            return names[alone[1]]
        return NAME.sub(lambda found: str(names.get(found[1], found[0])), value)
    if isinstance(value, Matches):
        return Matches(filled(value.pattern, names))
    if isinstance(value, Mapping):
        return {filled(key, names): filled(each, names) for key, each in value.items()}
    return [filled(each, names) for each in value] if isinstance(value, list) else value
