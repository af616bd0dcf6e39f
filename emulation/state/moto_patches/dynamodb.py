"""DynamoDB as AWS answers, where moto differs: numbers, nesting, transaction tokens, and members of answers.

Numbers and levels: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
Tokens: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ...core.errors import AwsError
from .replace import extend

DIGITS, LARGEST, SMALLEST = 38, 125, -130
"""Significant digits of a number, and the exponents of its range."""
LEVELS = 32
"""Of lists and maps in an item."""
TOKEN_SECONDS = 600
"""AWS seconds for which a transaction's token is remembered."""
_DELETED = (
    *("TableName", "TableStatus", "ProvisionedThroughput", "TableSizeBytes", "ItemCount", "TableArn", "TableId"),
    *("DeletionProtectionEnabled", "BillingModeSummary"),
)
"""What DeleteTable says of a table."""


def correct() -> None:
    """Call it after importing `moto.dynamodb`. Idempotent."""
    from moto.dynamodb.models.table import StreamRecord, Table  # noqa: PLC0415 - heavy: only where moto runs
    from moto.dynamodb.responses import DynamoHandler  # noqa: PLC0415

    extend(DynamoHandler, "call_action", _call)
    extend(DynamoHandler, "create_table", _create_table)
    extend(DynamoHandler, "delete_table", _delete_table)
    extend(DynamoHandler, "transact_write_items", _transact)
    for operation in ("batch_write_item", "batch_get_item", "transact_write_items"):
        extend(DynamoHandler, operation, _as_asked)
    extend(Table, "describe", _describe)
    extend(StreamRecord, "__init__", _new_record)


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _call(call: Any, self: Any) -> Any:
    self.params = _canonical(self.params, 0)
    return call(self)


def _canonical(value: Any, level: int) -> Any:
    """A request's body with its numbers as DynamoDB stores them."""
    if isinstance(value, list):
        return [_canonical(each, level) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, content),) = value.items()
        if kind == "N" and isinstance(content, str):
            return {"N": number(content)}
        if kind == "NS" and isinstance(content, list):
            return {"NS": [number(str(each)) for each in content]}
        if (kind == "M" and isinstance(content, dict)) or (kind == "L" and isinstance(content, list)):
            level += 1
            if level > LEVELS:
                raise _invalid("Nesting Levels have exceeded supported limits")
    return {key: _canonical(each, level) for key, each in value.items()}


def number(text: str) -> str:
    """A number as DynamoDB returns it: `1.50` is `1.5`. Raises `AwsError` for one out of range."""
    try:
        value = Decimal(text.strip())
        if not value.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise _invalid(f"The parameter cannot be converted to a numeric value: {text}") from None
    if not value:
        return "0"
    if len("".join(map(str, value.as_tuple().digits)).strip("0")) > DIGITS:
        raise _invalid("Attempting to store more than 38 significant digits in a Number")
    if value.adjusted() > LARGEST:
        raise _invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if value.adjusted() < SMALLEST:
        raise _invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _create_table(create: Any, self: Any) -> Any:
    answer = create(self)
    table = answer.result["TableDescription"]
    table["TableStatus"] = "CREATING"
    table.pop("WarmThroughput", None)
    for index in table.get("GlobalSecondaryIndexes", ()):
        index["IndexStatus"] = "CREATING"
        index.pop("WarmThroughput", None)
    return answer


def _delete_table(delete: Any, self: Any) -> Any:
    name = self.body["TableName"].rpartition("/")[2]
    if name not in self.dynamodb_backend.tables:
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    answer = delete(self)
    table = answer.result["TableDescription"]
    for member in table.keys() - set(_DELETED):
        del table[member]
    table["TableStatus"] = "DELETING"
    return answer


def _transact(write: Any, self: Any) -> Any:
    from moto.core.responses import ActionResult  # noqa: PLC0415 - heavy
    from moto.core.utils import unix_time  # noqa: PLC0415

    token = self.body.get("ClientRequestToken")
    if not token:
        return write(self)
    now = unix_time()
    seen = self.dynamodb_backend.__dict__.setdefault("transaction_tokens", {})
    for old in [each for each, (_, at) in seen.items() if now - at > TOKEN_SECONDS]:
        del seen[old]
    wanted = json.dumps(self.body["TransactItems"], sort_keys=True)
    if token not in seen:
        answer = write(self)
        seen[token] = wanted, now
        return answer
    if seen[token][0] != wanted:
        raise AwsError(
            "IdempotentParameterMismatchException",
            "The request uses the same client token as a previous, but non-identical request.",
        )
    return ActionResult({})


def _as_asked(answer_of: Any, self: Any) -> Any:
    """Without the capacity and metrics that were not asked for."""
    answer = answer_of(self)
    if self.body.get("ReturnConsumedCapacity", "NONE") == "NONE":
        answer.result.pop("ConsumedCapacity", None)
    if self.body.get("ReturnItemCollectionMetrics", "NONE") == "NONE":
        answer.result.pop("ItemCollectionMetrics", None)
    return answer


def _describe(describe: Any, self: Any, base_key: str = "TableDescription") -> Any:
    from moto.moto_api._internal import mock_random  # noqa: PLC0415 - heavy

    answer = describe(self, base_key)
    table = answer[base_key]
    table["TableId"] = self.__dict__.setdefault("table_id", str(mock_random.uuid4()))
    table["ProvisionedThroughput"] = _throughput(table["ProvisionedThroughput"])
    if table["BillingModeSummary"]["BillingMode"] == "PROVISIONED":
        del table["BillingModeSummary"]
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if not table[kind]:
            del table[kind]
        for index in table.get(kind, ()):
            index["IndexArn"] = f"{table['TableArn']}/index/{index['IndexName']}"
            index |= {"ItemCount": table["ItemCount"], "IndexSizeBytes": 0}
            if "ProvisionedThroughput" in index:
                index["ProvisionedThroughput"] = _throughput(index["ProvisionedThroughput"])
    return answer


def _throughput(given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0, **(given or {})}


def _new_record(make: Any, self: Any, table: Any, *given: Any) -> None:
    make(self, table, *given)
    self.record |= {"eventVersion": "1.1", "awsRegion": table.table_arn.split(":")[3]}
