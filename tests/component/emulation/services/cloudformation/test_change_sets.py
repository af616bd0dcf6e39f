"""Change sets: what they show, what executing them does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stacks import Stacks, stacks
from tests.support.things import NAME, Things, install
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.cloudformation.change_sets import NO_CHANGES


def template(**properties: str) -> str:
    lines = [f"  {name}: {{Type: {NAME}, Properties: {given}}}" for name, given in properties.items()]
    return "\n".join(["Resources:", *lines])


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Things:
    return install(monkeypatch)


@pytest_asyncio.fixture
async def cfn(things: Things) -> AsyncIterator[Stacks]:
    async with stacks() as each:
        yield each


async def review(cfn: Stacks, body: str, name: str = "change", **params: Any) -> dict[str, Any]:
    """Make a change set and describe it."""
    made = await cfn.call("CreateChangeSet", StackName="test", ChangeSetName=name, TemplateBody=body, **params)
    return await cfn.call("DescribeChangeSet", ChangeSetName=made["Id"])


async def test_a_new_stack_is_reviewed_before_it_is_made(cfn: Stacks, things: Things) -> None:
    change_set = await review(cfn, template(A="{}"), ChangeSetType="CREATE")
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert [each["ResourceChange"]["Action"] for each in change_set["Changes"]] == ["Add"]
    stack = (await cfn.call("DescribeStacks", StackName="test"))["Stacks"][0]
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert things.log == []
    await cfn.call("ExecuteChangeSet", ChangeSetName="change", StackName="test")
    stack = await cfn.ended("test")
    assert (stack["StackStatus"], stack["ChangeSetId"]) == ("CREATE_COMPLETE", change_set["ChangeSetId"])
    assert things.log == ["create A"]


async def test_a_reviewed_stack_that_was_never_made_is_deleted_at_once(cfn: Stacks, things: Things) -> None:
    await review(cfn, template(A="{}"), ChangeSetType="CREATE")
    assert (await cfn.delete())["StackStatus"] == "DELETE_COMPLETE"
    assert things.log == []


async def test_an_update_is_shown_with_what_it_does_to_each_resource(cfn: Stacks) -> None:
    await cfn.create(
        template(Same="{Value: 1}", Changed="{Value: 1}", Replaced="{Size: 1}", Uses="{Size: !Ref Replaced}", Gone="{}")
    )
    change_set = await review(
        cfn,
        template(Same="{Value: 1}", Changed="{Value: 2}", Replaced="{Size: 2}", Uses="{Size: !Ref Replaced}", New="{}"),
    )
    changes = {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in change_set["Changes"]}
    assert {name: (each["Action"], each.get("Replacement")) for name, each in changes.items()} == {
        "Changed": ("Modify", "False"),
        "Replaced": ("Modify", "True"),
        "Uses": ("Modify", "Conditional"),
        "New": ("Add", None),
        "Gone": ("Remove", None),
    }
    (detail,) = changes["Replaced"]["Details"]
    assert detail["Target"] == {"Attribute": "Properties", "Name": "Size", "RequiresRecreation": "Always"}
    assert changes["Gone"]["PolicyAction"] == "Delete"
    assert changes["Changed"]["Scope"] == ["Properties"]


async def test_executing_an_update_does_what_it_showed(cfn: Stacks, things: Things) -> None:
    await cfn.create(template(A="{Value: 1}"))
    await review(cfn, template(A="{Value: 2}"))
    await cfn.call("ExecuteChangeSet", ChangeSetName="change", StackName="test")
    assert (await cfn.ended("test"))["StackStatus"] == "UPDATE_COMPLETE"
    assert things.there == {"thing-1": {"Value": 2}}


async def test_a_change_of_tags_alone_is_a_change(cfn: Stacks) -> None:
    await cfn.create(template(A="{}"))
    change_set = await review(cfn, template(A="{}"), Tags=[{"Key": "team", "Value": "x"}])
    (change,) = change_set["Changes"]
    assert change["ResourceChange"]["Scope"] == ["Tags"]


async def test_no_change_fails_the_change_set_not_the_call(cfn: Stacks) -> None:
    await cfn.create(template(A="{Value: 1}"))
    change_set = await review(cfn, template(A="{Value: 1}"))
    assert (change_set["Status"], change_set["StatusReason"]) == ("FAILED", NO_CHANGES)
    assert change_set["ExecutionStatus"] == "UNAVAILABLE"
    with pytest.raises(AwsError, match="cannot be executed in its current status") as refusal:
        await cfn.call("ExecuteChangeSet", ChangeSetName="change", StackName="test")
    assert refusal.value.code == "InvalidChangeSetStatus"


async def test_a_change_set_that_the_stack_has_outrun_is_obsolete(cfn: Stacks) -> None:
    await cfn.create(template(A="{Value: 1}"))
    await review(cfn, template(A="{Value: 2}"))
    await cfn.update(template(A="{Value: 3}"))
    (summary,) = (await cfn.call("ListChangeSets", StackName="test"))["Summaries"]
    assert summary["ExecutionStatus"] == "OBSOLETE"
    with pytest.raises(AwsError, match="OBSOLETE"):
        await cfn.call("ExecuteChangeSet", ChangeSetName="change", StackName="test")


async def test_change_sets_are_listed_and_deleted(cfn: Stacks) -> None:
    await cfn.create(template(A="{Value: 1}"))
    await review(cfn, template(A="{Value: 2}"), "one", Description="First.")
    await review(cfn, template(A="{Value: 3}"), "two")
    listed = (await cfn.call("ListChangeSets", StackName="test"))["Summaries"]
    assert [(each["ChangeSetName"], each.get("Description")) for each in listed] == [("one", "First."), ("two", None)]
    await cfn.call("DeleteChangeSet", ChangeSetName="one", StackName="test")
    await cfn.call("DeleteChangeSet", ChangeSetName="one", StackName="test")
    assert len((await cfn.call("ListChangeSets", StackName="test"))["Summaries"]) == 1
    with pytest.raises(AwsError, match=r"ChangeSet \[one\] does not exist") as refusal:
        await cfn.call("DescribeChangeSet", ChangeSetName="one", StackName="test")
    assert refusal.value.code == "ChangeSetNotFound"


@pytest.mark.parametrize(
    ("kind", "there", "code", "message"),
    [
        ("UPDATE", False, "ValidationError", r"Stack \[test\] does not exist"),
        ("CREATE", True, "ValidationError", r"Stack \[test\] already exists and cannot be created again"),
        ("IMPORT", True, "ValidationError", "IMPORT is not emulated"),
    ],
)
async def test_the_kind_must_fit_the_stack(cfn: Stacks, kind: str, there: bool, code: str, message: str) -> None:
    if there:
        await cfn.create(template(A="{}"))
    with pytest.raises(AwsError, match=message) as refusal:
        await review(cfn, template(A="{Value: 1}"), ChangeSetType=kind)
    assert refusal.value.code == code


async def test_a_name_is_taken_while_its_change_set_is_there(cfn: Stacks) -> None:
    await cfn.create(template(A="{}"))
    await review(cfn, template(A="{Value: 1}"))
    with pytest.raises(AwsError, match="ChangeSet change already exists"):
        await review(cfn, template(A="{Value: 1}"))


async def test_what_is_over_gives_its_name_away(cfn: Stacks) -> None:
    await cfn.create(template(A="{}"))
    await review(cfn, template(A="{Value: 1}"))
    await cfn.call("ExecuteChangeSet", ChangeSetName="change", StackName="test")
    await cfn.ended("test")
    assert (await review(cfn, template(A="{Value: 1}")))["Status"] == "FAILED"
    assert (await review(cfn, template(A="{Value: 2}")))["Status"] == "CREATE_COMPLETE"


async def test_a_failed_creation_by_change_set_does_what_on_stack_failure_says(cfn: Stacks, things: Things) -> None:
    body = template(A="{}", B="{Value: !Ref A, Fail: No.}")
    change_set = await review(cfn, body, ChangeSetType="CREATE", OnStackFailure="DELETE")
    await cfn.call("ExecuteChangeSet", ChangeSetName="change", StackName="test")
    assert (await cfn.ended(change_set["StackId"]))["StackStatus"] == "DELETE_COMPLETE"
    assert things.there == {}
