"""A request as moto takes it."""

from __future__ import annotations

from webordinary_testkit.emulation.state.wire import HttpRequest
from webordinary_testkit.emulation.state.wsgi import environ


def test_the_path_is_given_raw_and_decoded() -> None:
    env = environ(HttpRequest("GET", "/bkt/a%2Fb%20c", "x=1&y", {"host": "127.0.0.1:4566"}))

    assert env["RAW_URI"] == "/bkt/a%2Fb%20c"
    assert env["PATH_INFO"] == "/bkt/a/b c"
    assert env["QUERY_STRING"] == "x=1&y"
    assert (env["SERVER_NAME"], env["SERVER_PORT"]) == ("127.0.0.1", "4566")


def test_the_length_is_that_of_the_body_whatever_the_client_said() -> None:
    env = environ(HttpRequest("PUT", "/", "", {"content-length": "99", "transfer-encoding": "chunked"}, b"abc"))

    assert env["CONTENT_LENGTH"] == "3"
    assert "HTTP_TRANSFER_ENCODING" not in env
    assert env["wsgi.input"].read() == b"abc"


def test_the_underscores_of_metadata_keys_survive() -> None:
    env = environ(HttpRequest("PUT", "/", "", {"x-amz-meta-my_key": "1"}))

    assert env["HTTP_X_AMZ_META_MY_KEY"] == "1"
    assert env["moto.preserved_header_names"] == {"HTTP_X_AMZ_META_MY_KEY": "x-amz-meta-my_key"}


def test_a_header_with_underscores_never_stands_in_for_one_with_dashes() -> None:
    env = environ(
        HttpRequest("PUT", "/", "", {"x_amz_target": "spoofed", "x-amz-meta-a_b": "1", "x-amz-meta-a-b": "2"})
    )

    assert "HTTP_X_AMZ_TARGET" not in env
    assert env["HTTP_X_AMZ_META_A_B"] == "2"
    assert env["moto.preserved_header_names"] == {}
