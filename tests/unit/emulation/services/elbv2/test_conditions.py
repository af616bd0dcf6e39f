"""emulation/services/elbv2/conditions.py"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from webordinary_testkit.emulation.services.elbv2.conditions import Glob, RequestAttributes, condition


def asked(
    path: str = "/",
    query: str = "",
    host: str = "example.com",
    *,
    method: str = "GET",
    source: str = "127.0.0.1",
    headers: list[tuple[str, str]] | None = None,
) -> RequestAttributes:
    return RequestAttributes(method, path, query, host, CIMultiDictProxy(CIMultiDict(headers or [])), source)


def path_pattern(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def model(pattern: str, text: str) -> bool:
    """What `*` and `?` mean, as simply as it can be said."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return model(pattern[1:], text) or (bool(text) and model(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and model(pattern[1:], text[1:])


@given(st.text("ab*?[]!.\\^$", max_size=6), st.text("ab[]!.\\^$\n", max_size=8))
def test_a_pattern_matches_what_the_model_says(pattern: str, text: str) -> None:
    assert bool(Glob(pattern).matches(text)) == model(pattern, text)


@given(st.text(max_size=20))
def test_a_pattern_without_wildcards_matches_itself(text: str) -> None:
    literal = text.replace("*", "x").replace("?", "y")
    assert Glob(literal).matches(literal)


@given(st.text("aB?*", max_size=6), st.text("aAbB", max_size=8))
def test_ignoring_case_means_comparing_in_lower_case(pattern: str, text: str) -> None:
    assert bool(Glob(pattern, ignore_case=True).matches(text)) == model(pattern.lower(), text.lower())


def test_many_stars_do_not_make_matching_slow() -> None:
    assert not Glob("*a*a*a*a*a*b").matches("a" * 16_000)


def test_paths_are_case_sensitive() -> None:
    upper = condition(path_pattern("/API/*"))
    assert upper.holds(asked("/API/x"))
    assert not upper.holds(asked("/api/x"))


def test_a_pattern_with_a_slash_and_star_does_not_match_the_bare_path() -> None:
    assert not condition(path_pattern("/hermes/*")).holds(asked("/hermes"))
    assert condition(path_pattern("/hermes", "/hermes/*")).holds(asked("/hermes"))


def test_the_query_string_is_no_part_of_the_path() -> None:
    assert condition(path_pattern("/img")).holds(asked("/img", "width=1"))


def test_one_value_of_several_is_enough() -> None:
    either = condition(path_pattern("/a", "/b"))
    assert [path for path in ("/a", "/b", "/c") if either.holds(asked(path))] == ["/a", "/b"]


def test_the_older_values_field_means_the_same() -> None:
    assert condition({"Field": "path-pattern", "Values": ["/a*"]}).holds(asked("/abc"))


def test_hosts_are_case_insensitive_and_a_wildcard_wants_its_dot() -> None:
    subdomains = condition({"Field": "host-header", "HostHeaderConfig": {"Values": ["*.Example.com"]}})
    assert subdomains.holds(asked(host="TEST.example.COM"))
    assert not subdomains.holds(asked(host="example.com"))


def test_a_header_matches_by_any_of_its_values_whatever_the_case() -> None:
    chrome = condition(
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "user-agent", "Values": ["*chrome*"]}}
    )
    assert chrome.holds(asked(headers=[("User-Agent", "curl"), ("USER-AGENT", "Mozilla Chrome/9")]))
    assert not chrome.holds(asked(headers=[("User-Agent", "curl")]))
    assert not chrome.holds(asked())


def query_string(*pairs: dict[str, str]) -> dict[str, Any]:
    return {"Field": "query-string", "QueryStringConfig": {"Values": list(pairs)}}


def test_a_query_pair_matches_key_and_value_and_a_lone_value_any_key() -> None:
    v1 = condition(query_string({"Key": "version", "Value": "v1"}, {"Value": "example"}))
    assert v1.holds(asked(query="x=2&Version=V1"))
    assert v1.holds(asked(query="anything=example"))
    assert not v1.holds(asked(query="version=v2"))
    assert not v1.holds(asked(query=""))


def test_an_escaped_star_in_a_query_stands_for_a_star() -> None:
    star = condition(query_string({"Value": r"\*"}))
    assert star.holds(asked(query="q=*"))
    assert not star.holds(asked(query="q=x"))


def test_methods_match_exactly() -> None:
    post = condition({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST", "PURGE"]}})
    assert post.holds(asked(method="PURGE"))
    assert not post.holds(asked(method="post"))


@pytest.mark.parametrize(
    ("cidr", "source", "inside"),
    [
        ("10.0.0.0/8", "10.200.1.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("192.0.2.10/32", "192.0.2.10", True),
        ("2001:db8::/32", "2001:db8::1", True),
        ("10.0.0.0/8", "2001:db8::1", False),
    ],
)
def test_a_source_lies_inside_a_network_or_not(cidr: str, source: str, inside: bool) -> None:
    network = condition({"Field": "source-ip", "SourceIpConfig": {"Values": [cidr]}})
    assert network.holds(asked(source=source)) is inside


def test_an_unknown_condition_says_its_name() -> None:
    with pytest.raises(ValueError, match="moon-phase"):
        condition({"Field": "moon-phase", "Values": ["full"]})
