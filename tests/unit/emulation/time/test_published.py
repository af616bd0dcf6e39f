"""The profile `published` against the published figures.

Ranges are those of the documentation, of measurements with their dates, and of the review of the live path.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from webordinary_testkit.emulation.time.profile import load

PROFILE = load("published")
START = ("ecs.task.provisioning", "ecs.task.image_pull", "ecs.task.start")
MAIL = ("ses.receive_to_sns", "sns.to_sqs")
WAKE = ("minute", "sqs.metric.publication", "cloudwatch.alarm.evaluation")
TARGET = ("elbv2.target.registration", "elbv2.target.first_health_check")


def interval(*names: str, mib: float = 80, low: float = 0.05, high: float = 0.95) -> tuple[float, float]:
    """The 5 and 95 % quantiles of the sum of these delays, by 20,000 draws."""
    chance = random.Random(1)

    def one(name: str) -> float:
        if name == "minute":  # from an event to the end of its minute
            return chance.uniform(0, 60)
        delay = PROFILE.delay(name)
        assert delay is not None
        return delay.distribution.quantile(chance.random()) * (mib / delay.for_mib if delay.for_mib else 1)

    sums = sorted(sum(map(one, names)) for _ in range(20_000))
    return sums[int(low * 20_000)], sums[int(high * 20_000)]


@pytest.mark.parametrize(
    ("names", "mib", "range_", "figure"),
    [
        (MAIL, 80, (1, 8), "SES, SNS and SQS: 1-2, 1-3, or 2-8 s with spam scan"),
        (START, 413, (53, 62), "a 413 MB image: 53-62 s from create to start"),
        (START, 80, (25, 40), "an image of up to 100 MB: 25-40 s"),
        (("ecs.task.provisioning",), 80, (8, 20), "the network interface: about 10 s, `several seconds`"),
        (("ecs.task.deprovisioning",), 80, (10, 40), "releasing the network interface: 10-40 s"),
        (("sqs.metric.publication",), 80, (0, 60), "AWS/SQS: up to a minute, about 60 s, until it is seen"),
        (("elbv2.metric.publication",), 80, (60, 180), "AWS/ApplicationELB: 1-3 minutes"),
        (("ecs.metric.publication",), 80, (60, 120), "AWS/ECS: 60-120 s"),
        (WAKE, 80, (60, 150), "metric, its visibility, alarm: 60-150 s"),
        (TARGET, 80, (0, 5), "a healthy target and its first page: 1-5 s"),
        (
            ("cloudwatch.put.visible",),
            80,
            (1, 25),
            "a custom datapoint is seen within seconds, 10-25 s with its period",
        ),
        (("ecs_exec.agent",), 80, (0, 60), "the agent runs up to a minute after its task"),
    ],
)
def test_published_figures(names: Sequence[str], mib: float, range_: tuple[float, float], figure: str) -> None:
    low, high = interval(*names, mib=mib)
    assert range_[0] <= low <= high <= range_[1], f"{figure}; the profile says {low:.1f} to {high:.1f} s"


def test_a_cold_start_by_mail_is_in_the_published_range() -> None:
    """Decision 0010: 130-250 s with Hermes and then edit from zero."""
    low, high = interval(*MAIL, *WAKE, *START, *START, *TARGET)
    assert 130 <= low <= high <= 250


def test_an_alarm_is_evaluated_once_in_its_interval() -> None:
    assert interval("cloudwatch.alarm.evaluation", low=0, high=0.9999)[1] <= 60
    assert interval("cloudwatch.alarm.high_resolution", low=0, high=0.9999)[1] <= 10
