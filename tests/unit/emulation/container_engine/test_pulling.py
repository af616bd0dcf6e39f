"""An image that is not to be had: what to do about it depends on why."""

from __future__ import annotations

import pytest

from webordinary_testkit.emulation.container_engine.pulling import canonical, remedy


@pytest.mark.parametrize(
    ("said", "next_"),
    [
        ("Get https://r.example.com/v2/: unauthorized: authentication required", "docker login r.example.com with"),
        ("pull access denied for team/web, repository does not exist or may require 'docker login'", "docker login"),
        ("toomanyrequests: You have reached your pull rate limit", "docker login"),
        ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", "make room"),
        ("manifest for r.example.com/team/web:9 not found: manifest unknown", "has none of this name and tag"),
        ("Get https://r.example.com/v2/: dial tcp: lookup r.example.com: no such host", "cannot reach the registry"),
        ("the credentials of docker login cannot be read: Credentials store error", "credential helper"),
        ("something new", "docker pull r.example.com/team/web:9 must succeed first"),
    ],
)
def test_what_to_do_goes_by_what_was_said(said: str, next_: str) -> None:
    assert next_ in remedy(said, "r.example.com/team/web:9", "r.example.com")


def test_the_reference_systems_images_are_built_whatever_the_registry_says() -> None:
    assert "kit images build" in remedy("pull access denied", "webordinary/edit:test", "docker.io")


def test_but_for_a_full_disk() -> None:
    assert "make room" in remedy("no space left on device", "webordinary/edit:test", "docker.io")


@pytest.mark.parametrize(
    ("image", "whole"),
    [
        ("alpine", "docker.io/library/alpine:latest"),
        ("team/web:1", "docker.io/team/web:1"),
        ("localhost/web", "localhost/web:latest"),
        ("127.0.0.1:5000/web", "127.0.0.1:5000/web:latest"),
        ("r.example.com/team/web@sha256:0", "r.example.com/team/web@sha256:0"),
    ],
)
def test_an_image_with_its_registry_and_tag(image: str, whole: str) -> None:
    assert canonical(image) == whole
