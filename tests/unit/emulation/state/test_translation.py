"""Between an endpoint's terms and the cloud's: accounts, addresses, times, and what users wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from webordinary_testkit.emulation.state.models import operation_model
from webordinary_testkit.emulation.state.remote_sqs import _envelope
from webordinary_testkit.emulation.state.translation import Terms, Times
from webordinary_testkit.emulation.time.clock import Clock

OURS, THEIRS = "123456789012", "000000000000"
ORIGIN = 1_800_000_000.0


@pytest.fixture
def terms() -> Terms:
    times = Times(Clock(scale=60, origin=ORIGIN))
    return Terms(times, lambda: "127.0.0.1:4000", OURS, "127.0.0.1:4566", THEIRS)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (f"arn:aws:sns:us-west-2:{THEIRS}:t", f"arn:aws:sns:us-west-2:{OURS}:t"),
        (f"http://127.0.0.1:4566/{THEIRS}/q", f"http://127.0.0.1:4000/{OURS}/q"),
        ("http://s3.localhost.localstack.cloud:4566/b/k", "http://127.0.0.1:4000/b/k"),
        ("https://localhost.localstack.cloud/b", "http://127.0.0.1:4000/b"),
        ("http://127.0.0.1:45667/b", "http://127.0.0.1:45667/b"),
        (f"number {THEIRS}", f"number {THEIRS}"),
    ],
)
def test_addresses_and_accounts_become_the_clouds(terms: Terms, theirs: str, ours: str) -> None:
    assert terms.text_back(theirs) == ours


def test_an_arn_goes_out_under_the_endpoints_account(terms: Terms) -> None:
    asked = {"TopicArn": f"arn:aws:sns:us-west-2:{OURS}:t", "Message": f"arn:aws:sns:us-west-2:{OURS}:t"}
    shape = operation_model("sns", "Publish").input_shape
    assert terms.out("sns", asked, shape) == {**asked, "TopicArn": f"arn:aws:sns:us-west-2:{THEIRS}:t"}


def test_times_run_at_the_clouds_speed_both_ways(terms: Terms) -> None:
    shape = operation_model("cloudwatch", "GetMetricStatistics").input_shape
    out = terms.out("cloudwatch", {"StartTime": datetime.fromtimestamp(ORIGIN + 600, UTC)}, shape)
    assert out["StartTime"].timestamp() == pytest.approx(ORIGIN + 10)
    table = operation_model("dynamodb", "DescribeTable").output_shape
    back = terms.back("dynamodb", {"Table": {"CreationDateTime": datetime.fromtimestamp(ORIGIN + 10, UTC)}}, table)
    assert back["Table"]["CreationDateTime"].timestamp() == pytest.approx(ORIGIN + 600)


def test_times_of_logs_are_numbers_in_seconds_or_milliseconds(terms: Terms) -> None:
    shape = operation_model("logs", "StartQuery").input_shape
    assert terms.out("logs", {"startTime": int(ORIGIN) + 600}, shape)["startTime"] == int(ORIGIN) + 10
    shape = operation_model("logs", "FilterLogEvents").input_shape
    asked: dict[str, Any] = {"startTime": int(ORIGIN + 600) * 1000, "limit": 5}
    assert terms.out("logs", asked, shape) == {"startTime": int(ORIGIN + 10) * 1000, "limit": 5}


def test_items_are_left_alone(terms: Terms) -> None:
    shape = operation_model("dynamodb", "GetItem").output_shape
    item = {"Item": {"url": {"S": f"http://127.0.0.1:4566/{THEIRS}/q"}}}
    assert terms.back("dynamodb", item, shape) == item


def test_what_sns_wraps_around_a_message_is_translated_and_the_message_is_not(terms: Terms) -> None:
    inner = f"see http://127.0.0.1:4566/{THEIRS}/q"
    told = {
        "Type": "Notification",
        "TopicArn": f"arn:aws:sns:us-west-2:{THEIRS}:t",
        "Message": inner,
        "Timestamp": datetime.fromtimestamp(ORIGIN + 10, UTC).isoformat().replace("+00:00", "Z"),
        "UnsubscribeURL": "http://localhost.localstack.cloud:4566/?Action=Unsubscribe",
    }
    message = {"Body": json.dumps(told), "MD5OfBody": ""}
    _envelope(message, terms)
    body = json.loads(message["Body"])
    assert body["Message"] == inner
    assert body["TopicArn"] == f"arn:aws:sns:us-west-2:{OURS}:t"
    assert body["UnsubscribeURL"] == "http://127.0.0.1:4000/?Action=Unsubscribe"
    assert datetime.fromisoformat(body["Timestamp"]).timestamp() == pytest.approx(ORIGIN + 600)


@pytest.mark.parametrize("body", ["plain", "{not json", '{"Type": "Notification"}', '["Notification"]'])
def test_other_messages_are_left_alone(terms: Terms, body: str) -> None:
    message = {"Body": body, "MD5OfBody": "x"}
    _envelope(message, terms)
    assert message == {"Body": body, "MD5OfBody": "x"}
