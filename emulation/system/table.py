"""A DynamoDB table of rows whose values are text and whole numbers; conditions as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .aws import Aws
from .aws_errors import ConditionFailed

Value = str | int
Row = dict[str, Value]


@dataclass(frozen=True)
class Below:
    """A condition: the attribute is lower than this."""

    value: int


Condition = Value | tuple[Value, ...] | Below
"""What an attribute must be: equal to a value, one of several, or below a number."""


class Table:
    """Rows of one table. Throttling is retried by `Aws`; what still fails raises `Unavailable`."""

    def __init__(self, aws: Aws, name: str, *, key: str) -> None:
        self._aws = aws
        self._name = name
        self._key = key
        """The partition key, by whose presence a row is known to exist."""

    async def create(self, row: Row) -> bool:
        """Put a row unless its key is taken; False when it is."""
        try:
            await self._call(
                "put_item",
                Item=_marshalled(row),
                ConditionExpression="attribute_not_exists(#key)",
                ExpressionAttributeNames={"#key": self._key},
            )
        except ConditionFailed:
            return False
        return True

    async def put(self, row: Row) -> None:
        """Put a row, whatever was there."""
        await self._call("put_item", Item=_marshalled(row))

    async def update(
        self, key: Row, changes: Mapping[str, Value], when: Mapping[str, Condition] | None = None
    ) -> Row | None:
        """Change an existing row and return it; None when there is none or a condition does not hold.

        It never creates a row: keeping something alive must not bring it to life.
        """
        expression = _Expression()
        assignments = [f"{expression.name(name)} = {expression.value(value)}" for name, value in changes.items()]
        conditions = [f"attribute_exists({expression.name(self._key)})"]
        conditions += [expression.condition(name, condition) for name, condition in (when or {}).items()]
        try:
            answer = await self._call(
                "update_item",
                Key=_marshalled(key),
                UpdateExpression="SET " + ", ".join(assignments),
                ConditionExpression=" AND ".join(conditions),
                ReturnValues="ALL_NEW",
                **expression.parts(),
            )
        except ConditionFailed:
            return None
        return _unmarshalled(answer["Attributes"])

    async def delete(self, key: Row) -> None:
        await self._call("delete_item", Key=_marshalled(key))

    async def query(self, attribute: str, value: Value, *, index: str | None = None) -> list[Row]:
        """Every row with this partition key, of the table (strongly consistent) or of an index; all pages."""
        expression = _Expression()
        params: dict[str, Any] = {"IndexName": index} if index else {"ConsistentRead": True}
        params["KeyConditionExpression"] = expression.condition(attribute, value)
        return await self._pages("query", **params, **expression.parts())

    async def scan(self, **equal: Value) -> list[Row]:
        """Every row with these values; all pages."""
        expression = _Expression()
        conditions = " AND ".join(expression.condition(name, value) for name, value in equal.items())
        return await self._pages("scan", FilterExpression=conditions, ConsistentRead=True, **expression.parts())

    async def _pages(self, operation: str, **params: Any) -> list[Row]:
        rows: list[Row] = []
        while True:
            answer = await self._call(operation, **params)
            rows += map(_unmarshalled, answer.get("Items", ()))
            if not (last := answer.get("LastEvaluatedKey")):
                return rows
            params["ExclusiveStartKey"] = last

    async def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self._aws.call("dynamodb", operation, TableName=self._name, **params)


class _Expression:
    """Names and values by placeholder: `status` and `ttl` are reserved words, and text is never spliced in."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        placeholder = f"#{attribute}"
        self._names[placeholder] = attribute
        return placeholder

    def value(self, value: Value) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = _attribute(value)
        return placeholder

    def condition(self, name: str, condition: Condition) -> str:
        if isinstance(condition, Below):
            return f"{self.name(name)} < {self.value(condition.value)}"
        if isinstance(condition, tuple):
            return f"{self.name(name)} IN ({', '.join(map(self.value, condition))})"
        return f"{self.name(name)} = {self.value(condition)}"

    def parts(self) -> dict[str, Any]:
        return {"ExpressionAttributeNames": self._names, "ExpressionAttributeValues": self._values}


def _attribute(value: Value) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _marshalled(row: Mapping[str, Value]) -> dict[str, dict[str, str]]:
    return {name: _attribute(value) for name, value in row.items()}


def _unmarshalled(item: Mapping[str, Mapping[str, str]]) -> Row:
    return {name: int(float(value["N"])) if "N" in value else value.get("S", "") for name, value in item.items()}
