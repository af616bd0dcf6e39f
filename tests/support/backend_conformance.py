"""Conformance tests of backends: a subclass names the backend and inherits them.

class TestEmulated(BackendConformance):
    @classmethod
    def make(cls, folder: Path, **settings: Any) -> Backend: ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from webordinary_testkit.awsclock.loop import run
from webordinary_testkit.kit.backends.capability import ALL, Level
from webordinary_testkit.kit.backends.interface import Backend, Cloud, MailRefused
from webordinary_testkit.kit.core.errors import InfraError, KitError, UsageError

TEMPLATE = Path("kit/system/integration-test-stack.yaml")


class BackendConformance:
    """The contract of `kit.backends.interface.Backend`, as tests."""

    @classmethod
    def make(cls, folder: Path, **settings: Any) -> Backend:
        """A backend that has started nothing yet."""
        raise NotImplementedError

    @classmethod
    def leftovers(cls, folder: Path) -> list[str]:
        """What is left of backends that worked in this folder: one line each."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def started(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, Cloud]]:
        folder = tmp_path_factory.mktemp("backend")
        backend = cls.make(folder)
        cloud = run(backend.start())
        yield backend, cloud
        run(backend.stop())
        run(backend.stop())
        assert cls.leftovers(folder) == []
        assert run(backend.health()) is not None

    def test_it_says_of_every_capability_how_it_has_it(self, tmp_path: Path) -> None:
        capabilities = self.make(tmp_path).capabilities()
        assert set(capabilities) == set(ALL)
        assert all(isinstance(level, Level) for level in capabilities.values())
        assert list(tmp_path.iterdir()) == []

    async def test_stopping_what_was_never_started_is_nothing(self, tmp_path: Path) -> None:
        await self.make(tmp_path).stop()

    async def test_what_is_started_is_healthy_and_can_do_what_was_said(self, started: tuple[Backend, Cloud]) -> None:
        backend, cloud = started
        assert await backend.health() is None
        assert cloud.capabilities == backend.capabilities()

    async def test_the_stack_is_deployed_and_asleep(self, started: tuple[Backend, Cloud]) -> None:
        _, cloud = started
        names = [cloud.stack.hermes_service_name, cloud.stack.edit_service_name]
        answer = await cloud.aws.call("ecs", "describe_services", cluster=cloud.stack.cluster_name, services=names)
        assert [service["desiredCount"] for service in answer["services"]] == [0, 0]
        assert answer["failures"] == []

    async def test_its_clock_is_the_clouds(self, started: tuple[Backend, Cloud]) -> None:
        _, cloud = started
        answer = await cloud.aws.call("cloudformation", "describe_stacks", StackName=cloud.stack.name)
        created = answer["Stacks"][0]["CreationTime"].timestamp()
        assert 0 <= cloud.clock.now() - created < 24 * 3600

    async def test_aws_refuses_through_it_what_aws_refuses(self, started: tuple[Backend, Cloud]) -> None:
        _, cloud = started
        with pytest.raises(ClientError, match="InvalidParameterException"):
            await cloud.aws.call("ecs", "describe_tasks", cluster=cloud.stack.cluster_name, tasks=[])

    async def test_what_changes_something_is_in_the_history_and_what_looks_is_not(
        self, started: tuple[Backend, Cloud]
    ) -> None:
        _, cloud = started
        before = len(cloud.aws.history.events())
        await cloud.aws.call("sqs", "get_queue_attributes", QueueUrl=cloud.stack.inbound_queue_url)
        assert len(cloud.aws.history.events()) == before
        await cloud.aws.call(
            "ecs", "update_service", cluster=cloud.stack.cluster_name, service=cloud.stack.edit_service_name
        )
        names = [event.name for event in cloud.aws.history.events()[before:]]
        assert names == ["ecs.update_service", "ecs.update_service"]

    async def test_mail_to_nobody_is_refused_and_not_lost(self, started: tuple[Backend, Cloud]) -> None:
        _, cloud = started
        with pytest.raises(MailRefused, match="nobody@nowhere"):
            await cloud.mail.send(b"Subject: x\r\n\r\nx\r\n", "you@x.test", ["nobody@nowhere.test"])

    @contextmanager
    def refusing(self, folder: Path, kind: type[KitError], said: str, **settings: Any) -> Iterator[None]:
        backend = self.make(folder, **settings)
        with pytest.raises(kind, match=said):
            run(backend.start())
        assert run(backend.health()) is not None
        assert self.leftovers(folder) == []
        yield

    def test_an_unknown_resource_type_is_named_and_nothing_is_left(self, tmp_path: Path) -> None:
        template = tmp_path / "unknown.yaml"
        text = TEMPLATE.read_text().replace("Resources:\n", "Resources:\n  Odd: {Type: AWS::Nope::Thing}\n", 1)
        template.write_text(text)
        with self.refusing(tmp_path, KitError, "AWS::Nope::Thing", stack={"template": str(template)}):
            pass

    def test_a_resource_that_fails_is_named_with_the_first_cause(self, tmp_path: Path) -> None:
        template = tmp_path / "failing.yaml"
        odd = "  Odd: {Type: AWS::ECS::Service, Properties: {Cluster: nowhere, TaskDefinition: x}}\n"
        template.write_text(TEMPLATE.read_text().replace("Resources:\n", "Resources:\n" + odd, 1))
        with self.refusing(tmp_path, InfraError, "Odd", stack={"template": str(template)}):
            pass

    def test_an_image_without_a_program_is_refused_beforehand(self, tmp_path: Path) -> None:
        stack = {"parameters": {"EditImage": "me/edit:1"}}
        with self.refusing(tmp_path, UsageError, "me/edit:1", stack=stack):
            assert list(tmp_path.iterdir()) == []
