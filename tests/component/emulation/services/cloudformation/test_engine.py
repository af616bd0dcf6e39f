"""Stacks from beginning to end: order, failure, rollback, updates, deletion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, outputs, stacks
from tests.support.things import NAME, Things, install
from webordinary_testkit.emulation.core.errors import AwsError


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Things:
    return install(monkeypatch)


@pytest_asyncio.fixture
async def cfn(things: Things) -> AsyncIterator[Stacks]:
    async with stacks() as each:
        yield each


def template(resources: str, outputs: str = "{}") -> str:
    """A template of things, one a line: `A: {Value: 1}` is the thing A with these properties."""
    lines = ["Resources:"]
    for line in resources.splitlines():
        name, properties = line.split(": ", 1)
        lines.append(f"  {name}: {{Type: {NAME}, Properties: {properties}}}")
    return "\n".join([*lines, f"Outputs: {outputs}"])


async def test_a_stack_is_created_with_what_is_needed_first(cfn: Stacks, things: Things) -> None:
    stack = await cfn.create(
        template(
            "C: {Value: !GetAtt B.Value}\nB: {Value: !Sub 'of ${A}'}\nA: {Value: x}", "{Last: {Value: !GetAtt C.Value}}"
        )
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert things.log == ["create A", "create B", "create C"]
    assert outputs(stack) == {"Last": "of thing-1"}


async def test_the_events_tell_the_whole_story_oldest_last(cfn: Stacks) -> None:
    await cfn.create(template("A: {Value: x}"))
    assert await cfn.events() == [
        ("test", "CREATE_IN_PROGRESS", "User Initiated"),
        ("A", "CREATE_IN_PROGRESS", ""),
        ("A", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("A", "CREATE_COMPLETE", ""),
        ("test", "CREATE_COMPLETE", ""),
    ]


async def test_what_is_independent_is_created_at_the_same_time(cfn: Stacks, things: Things) -> None:
    creating = asyncio.create_task(cfn.create(template("A: {HoldCreate: true}\nB: {HoldCreate: true}")))
    await things.begun(2)
    things.release.set()
    assert (await creating)["StackStatus"] == "CREATE_COMPLETE"


async def test_depends_on_is_waited_for(cfn: Stacks, things: Things) -> None:
    await cfn.create(f"Resources: {{A: {{Type: {NAME}, DependsOn: B}}, B: {{Type: {NAME}}}}}")
    assert things.log == ["create B", "create A"]


async def test_a_failed_creation_is_rolled_back_and_says_why(cfn: Stacks, things: Things) -> None:
    stack = await cfn.create(template("A: {}\nB: {Value: !Ref A, FailLate: Out of luck.}\nC: {Value: !Ref B}"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert things.there == {}
    assert things.log == ["create A", "create B", "delete B", "delete A"]
    events = await cfn.events()
    assert ("B", "CREATE_FAILED", "Out of luck.") in events
    reason = "The following resource(s) failed to create: [B]. Rollback requested by user."
    assert ("test", "ROLLBACK_IN_PROGRESS", reason) in events
    assert not any(name == "C" for name, _, _ in events)


async def test_who_waits_to_be_stable_is_cancelled_by_anothers_failure(cfn: Stacks, things: Things) -> None:
    stack = await cfn.create(template("Slow: {Wait: true}\nFirst: {}\nBad: {Value: !Ref First, Fail: No.}"))
    events = await cfn.events()
    failures = [(name, reason) for name, status, reason in events if status == "CREATE_FAILED"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert failures == [("Bad", "No."), ("Slow", "Resource creation cancelled")]
    assert things.there == {}


async def test_what_is_being_created_when_another_fails_is_not_forgotten(cfn: Stacks, things: Things) -> None:
    creating = asyncio.create_task(cfn.create(template("Held: {HoldCreate: true}\nBad: {Fail: No.}")))
    await things.begun(2)
    await asyncio.sleep(0.05)
    things.release.set()
    assert (await creating)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert things.log[-1] == "delete Held"
    assert things.there == {}


async def test_nothing_is_begun_after_a_failure(cfn: Stacks, things: Things) -> None:
    creating = asyncio.create_task(
        cfn.create(template("Held: {HoldCreate: true}\nNext: {Value: !Ref Held}\nBad: {Fail: No.}"))
    )
    await things.begun(2)
    await asyncio.sleep(0.05)
    things.release.set()
    await creating
    assert "create Next" not in things.log


async def test_an_unsupported_property_fails_the_stack_by_name(cfn: Stacks) -> None:
    stack = await cfn.create(template("A: {Colour: red}"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("A", "CREATE_FAILED", "Encountered unsupported property Colour") in await cfn.events()


async def test_a_bug_in_a_resource_type_fails_the_resource_not_the_cloud(
    cfn: Stacks, things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(things, "there", None)
    stack = await cfn.create(template("A: {}"))
    assert stack["StackStatus"] == "ROLLBACK_FAILED"
    assert any("Internal error in the emulation of Test::Thing" in reason for _, _, reason in await cfn.events())


@pytest.mark.parametrize(
    ("params", "status", "left"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", 1),
        ({"DisableRollback": True}, "CREATE_FAILED", 1),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", 0),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE", 0),
    ],
)
async def test_what_happens_on_failure_is_chosen(
    cfn: Stacks, things: Things, params: dict[str, Any], status: str, left: int
) -> None:
    stack = await cfn.create(template("A: {}\nB: {Value: !Ref A, Fail: No.}"), **params)
    assert (stack["StackStatus"], len(things.there)) == (status, left)


async def test_a_creation_that_takes_too_long_is_rolled_back(cfn: Stacks, things: Things) -> None:
    stack = await cfn.create(template("A: {Wait: true}"), TimeoutInMinutes=1)  # one second of wall time
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("Stack creation time exceeded the specified timeout." in reason for _, _, reason in await cfn.events())


async def test_an_attribute_without_a_value_fails_who_asks_for_it(cfn: Stacks) -> None:
    await cfn.create(template("A: {}\nB: {Value: !GetAtt A.Never}"))
    assert ("B", "CREATE_FAILED", "Attribute 'Never' of resource A has no value") in await cfn.events()


async def test_a_failing_output_rolls_the_stack_back(cfn: Stacks, things: Things) -> None:
    stack = await cfn.create(template("A: {}", "{O: {Value: [a, b]}}"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert things.there == {}


async def test_an_update_changes_in_place_what_can_be(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {Value: old}\nB: {Value: same}"))
    stack = await cfn.update(template("A: {Value: new}\nB: {Value: same}", "{O: {Value: !GetAtt A.Value}}"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert things.log[2:] == ["update A"]
    assert things.there["thing-1"] == {"Value": "new"}
    assert outputs(stack) == {"O": "new"}


async def test_what_depends_on_a_changed_attribute_changes_too(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {Value: old}\nB: {Value: !GetAtt A.Value}"))
    await cfn.update(template("A: {Value: new}\nB: {Value: !GetAtt A.Value}"))
    assert things.there["thing-2"] == {"Value": "new"}


async def test_a_replacement_comes_before_the_old_one_goes(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {Size: 1}\nB: {Value: !Ref A}"))
    stack = await cfn.update(template("A: {Size: 2}\nB: {Value: !Ref A}"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert things.log[2:] == ["create A", "update B", "delete A"]
    assert things.there == {"thing-2": {"Value": "thing-3"}, "thing-3": {"Size": 2}}
    assert await cfn.physical_id("A") == "thing-3"


async def test_a_custom_named_resource_cannot_be_replaced(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {Name: mine, Size: 1}"))
    stack = await cfn.update(template("A: {Name: mine, Size: 2}"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert things.there == {"thing-1": {"Name": "mine", "Size": 1}}
    reasons = [reason for name, status, reason in await cfn.events() if (name, status) == ("A", "UPDATE_FAILED")]
    assert reasons[0].startswith(
        "CloudFormation cannot update a stack when a custom-named resource requires replacing."
    )


async def test_what_a_template_no_longer_has_is_deleted(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {}\nB: {Value: !Ref A}\nC: {}"))
    await cfn.update(template("C: {}\nD: {}"))
    assert things.log[3:] == ["create D", "delete B", "delete A"]
    listed = await cfn.call("ListStackResources", StackName="test")
    assert [each["LogicalResourceId"] for each in listed["StackResourceSummaries"]] == ["C", "D"]


async def test_a_failed_update_is_undone_entirely(cfn: Stacks, things: Things) -> None:
    before = "A: {Value: old}\nR: {Size: 1}\nGone: {}\nUses: {Value: !Ref R}"
    await cfn.create(template(before))
    state = dict(things.there)
    stack = await cfn.update(
        template("A: {Value: new}\nR: {Size: 2}\nUses: {Value: !Ref R}\nNew: {}\nBad: {Value: !Ref Uses, Fail: No.}")
    )
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert things.there == state
    assert await cfn.physical_id("R") == "thing-2"
    statuses = [status for name, status, _ in await cfn.events() if name == "test"]
    assert statuses[2:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]


async def test_an_update_after_a_rolled_back_one_works(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {Value: 1}"))
    await cfn.update(template("A: {Value: 2, FailUpdate: No.}"))
    stack = await cfn.update(template("A: {Value: 3}"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert things.there == {"thing-1": {"Value": 3}}


async def test_after_a_rollback_the_old_template_is_nothing_new(cfn: Stacks) -> None:
    await cfn.create(template("A: {Value: 1}"))
    await cfn.update(template("A: {Value: 1, Colour: red}"))
    assert ("A", "UPDATE_FAILED", "Encountered unsupported property Colour") in await cfn.events()
    with pytest.raises(AwsError, match=r"No updates are to be performed\."):
        await cfn.update(template("A: {Value: 1}"))


async def test_an_update_without_rollback_stays_where_it_failed_and_can_be_mended(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {Value: 1}"))
    stack = await cfn.update(template("A: {Value: 2}\nB: {Value: !Ref A, FailLate: No.}"), DisableRollback=True)
    assert stack["StackStatus"] == "UPDATE_FAILED"
    stack = await cfn.update(template("A: {Value: 2}\nB: {Value: !Ref A}"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert things.there == {"thing-1": {"Value": 2}, "thing-3": {"Value": "thing-1"}}


async def test_nothing_to_update_is_an_error(cfn: Stacks) -> None:
    body = template("A: {Value: 1}\nB: {Value: !Ref A}")
    await cfn.create(body)
    with pytest.raises(AwsError, match=r"No updates are to be performed\."):
        await cfn.update(body)


async def test_an_output_alone_is_an_update(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {}"))
    stack = await cfn.update(template("A: {}", "{O: {Value: !Ref A}}"))
    assert (stack["StackStatus"], outputs(stack)) == ("UPDATE_COMPLETE", {"O": "thing-1"})
    assert things.log == ["create A"]


async def test_a_resources_type_cannot_change(cfn: Stacks) -> None:
    await cfn.create(template("A: {}"))
    with pytest.raises(AwsError, match=r"modifies resource type of the following resources: \[A\]"):
        await cfn.update("Resources: {A: {Type: AWS::SQS::Queue}}")


async def test_tags_of_the_stack_reach_the_resource_and_its_own_win(cfn: Stacks, things: Things) -> None:
    body = template("A: {Tags: [{Key: team, Value: own}]}")
    stack = await cfn.create(body, tags={"team": "stack", "stage": "test"})
    system = {
        "aws:cloudformation:stack-name": "test",
        "aws:cloudformation:stack-id": stack["StackId"],
        "aws:cloudformation:logical-id": "A",
    }
    assert things.tags["thing-1"] == {"team": "own", "stage": "test", **system}
    await cfn.update(body, tags={"stage": "prod"})
    assert things.tags["thing-1"] == {"team": "own", "stage": "prod", **system}
    assert things.log == ["create A", "retag A"]


async def test_tags_reserved_for_aws_are_refused(cfn: Stacks) -> None:
    with pytest.raises(AwsError, match="aws: prefixed tag key names are not allowed"):
        await cfn.create(template("A: {}"), tags={"aws:mine": "x"})


async def test_a_stack_is_deleted_in_reverse(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {}\nB: {Value: !Ref A}\nC: {Value: !Ref B}"))
    stack = await cfn.delete()
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert things.log[3:] == ["delete C", "delete B", "delete A"]
    with pytest.raises(AwsError, match="Stack with id test does not exist"):
        await cfn.call("DescribeStacks", StackName="test")


async def test_what_is_gone_already_counts_as_deleted(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {}"))
    things.there.clear()
    assert (await cfn.delete())["StackStatus"] == "DELETE_COMPLETE"


async def test_a_resource_that_cannot_be_deleted_is_named_and_all_else_goes(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {}\nB: {Value: !Ref A, FailDelete: true}\nC: {}"))
    stack = await cfn.delete()
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [B]. "
    assert sorted(things.log[3:]) == ["delete B", "delete C"]
    assert ("B", "DELETE_FAILED", "It is in use.") in await cfn.events()


async def test_a_failed_deletion_can_be_repeated_keeping_what_stuck(cfn: Stacks, things: Things) -> None:
    await cfn.create(template("A: {}\nB: {Value: !Ref A, FailDelete: true}"))
    await cfn.delete()
    stack = await cfn.delete(RetainResources=["B"])
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert [each["Value"] for each in things.there.values()] == ["thing-1"]


async def test_resources_can_be_retained_only_after_a_failed_deletion(cfn: Stacks) -> None:
    await cfn.create(template("A: {}"))
    with pytest.raises(AwsError, match="RetainResources can be given only for a stack in DELETE_FAILED"):
        await cfn.delete(RetainResources=["A"])


@pytest.mark.parametrize(("policy", "kept"), [("Retain", 1), ("RetainExceptOnCreate", 1), ("Delete", 0)])
async def test_a_deletion_policy_keeps_the_resource(cfn: Stacks, things: Things, policy: str, kept: int) -> None:
    await cfn.create(template("A: {}").replace("Properties", f"DeletionPolicy: {policy}, Properties"))
    assert (await cfn.delete())["StackStatus"] == "DELETE_COMPLETE"
    assert len(things.there) == kept


@pytest.mark.parametrize(("policy", "kept"), [("Retain", 1), ("RetainExceptOnCreate", 0), ("Delete", 0)])
async def test_a_deletion_policy_counts_when_a_creation_is_rolled_back(
    cfn: Stacks, things: Things, policy: str, kept: int
) -> None:
    body = template("A: {}\nB: {Value: !Ref A, Fail: No.}").replace(
        "Properties", f"DeletionPolicy: {policy}, Properties"
    )
    assert (await cfn.create(body))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert len(things.there) == kept


@pytest.mark.parametrize(("policy", "left"), [("Retain", [1, 2]), ("Delete", [2])])
async def test_an_update_replace_policy_keeps_the_old_one(
    cfn: Stacks, things: Things, policy: str, left: list[int]
) -> None:
    with_policy = f"UpdateReplacePolicy: {policy}, Properties"
    await cfn.create(template("A: {Size: 1}").replace("Properties", with_policy))
    await cfn.update(template("A: {Size: 2}").replace("Properties", with_policy))
    assert [each["Size"] for each in things.there.values()] == left


async def test_a_stack_can_be_deleted_while_it_is_created(cfn: Stacks, things: Things) -> None:
    await cfn.call("CreateStack", StackName="test", TemplateBody=template("A: {Wait: true}"))
    await things.exist(1)
    assert (await cfn.delete())["StackStatus"] == "DELETE_COMPLETE"
    assert things.there == {}
    assert not any("ROLLBACK" in status for _, status, _ in await cfn.events(await only_stack(cfn)))


async def only_stack(cfn: Stacks) -> str:
    listed = await cfn.call("ListStacks")
    return str(listed["StackSummaries"][0]["StackId"])


async def test_stopping_the_cloud_ends_what_is_under_way(things: Things) -> None:
    async with stacks() as cfn:
        await cfn.call("CreateStack", StackName="test", TemplateBody=template("A: {Wait: true}"))
        await things.exist(1)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
