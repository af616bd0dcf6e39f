"""emulation/services/elbv2/actions.py"""

from __future__ import annotations

import pytest

from webordinary_testkit.emulation.services.elbv2.actions import (
    FixedResponse,
    Forward,
    Redirect,
    RequestedUrl,
    WeightedGroup,
    action,
)

ASKED = RequestedUrl("http", "example.com", 8080, "/a/b", "x=1")


def redirect(**config: str) -> Redirect:
    made = action([{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}])
    assert isinstance(made, Redirect)
    return made


def test_a_redirect_keeps_what_it_does_not_name() -> None:
    assert redirect(Protocol="HTTPS", Port="443").location(ASKED, {}) == "https://example.com:443/a/b?x=1"


def test_keywords_stand_for_the_parts_of_the_request() -> None:
    made = redirect(Host="#{host}.test", Path="/new/#{path}", Query="#{query}&from=#{port}#{protocol}")
    assert made.location(ASKED, {}) == "http://example.com.test:8080/new/a/b?x=1&from=8080http"


def test_an_empty_query_leaves_no_question_mark() -> None:
    assert redirect(Query="").location(ASKED, {}) == "http://example.com:8080/a/b"


def test_a_redirect_to_another_listener_leads_to_where_it_really_listens() -> None:
    assert redirect(Protocol="HTTPS", Port="443").location(ASKED, {443: 54321}).startswith("https://example.com:54321/")


def test_a_redirect_to_another_host_keeps_its_port() -> None:
    assert redirect(Host="other.test", Port="443").location(ASKED, {443: 54321}).startswith("http://other.test:443/")


def test_a_permanent_redirect_is_301_and_any_other_302() -> None:
    found = action([{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302"}}])
    assert redirect().status == 301
    assert isinstance(found, Redirect) and found.status == 302


def test_a_forward_to_one_group_needs_no_weight() -> None:
    assert action([{"Type": "forward", "TargetGroupArn": "tg"}]) == Forward((WeightedGroup("tg", 1),))


def test_a_forward_to_several_groups_has_weights_and_stickiness() -> None:
    made = action(
        [
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [{"TargetGroupArn": "a", "Weight": 3}, {"TargetGroupArn": "b", "Weight": 0}],
                    "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
                },
            }
        ]
    )
    assert made == Forward((WeightedGroup("a", 3), WeightedGroup("b", 0)), sticky_seconds=60)


def test_a_fixed_response_has_status_type_and_body() -> None:
    made = action(
        [
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"StatusCode": "404", "ContentType": "application/json", "MessageBody": "{}"},
            }
        ]
    )
    assert made == FixedResponse(404, "application/json; charset=utf-8", b"{}")


def test_an_authentication_is_refused_by_name_wherever_it_stands() -> None:
    with pytest.raises(ValueError, match="authenticate-oidc"):
        action([{"Type": "forward", "TargetGroupArn": "tg", "Order": 2}, {"Type": "authenticate-oidc", "Order": 1}])
