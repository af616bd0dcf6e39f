"""The alarm history of DescribeAlarmHistory."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from ...core.pagination import paginate
from ...core.timestamps import epoch, instant
from .alarm import Alarm
from .errors import INVALID_TOKEN

KEPT = 5000
"""Items of all alarms together. (AWS keeps 30 days.)"""


class AlarmHistory:
    """Configuration updates, changes of state, and actions, oldest first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._items: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def configured(self, alarm: Alarm, change: str) -> None:
        """`change`: "created", "updated" or "deleted"."""
        kind = {"created": "Create", "updated": "Update", "deleted": "Delete"}[change]
        self._add(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {change}', {"version": "1.0", "type": kind})

    def changed(self, alarm: Alarm, old: Mapping[str, Any]) -> None:
        """Record a change of state from `old` (see `state_data`)."""
        self._add(
            alarm,
            "StateUpdate",
            f"Alarm updated from {old['stateValue']} to {alarm.state}",
            {"version": "1.0", "oldState": old, "newState": state_data(alarm)},
        )

    def executed(self, alarm: Alarm, action: str, error: str | None = None) -> None:
        """Record an action that was executed, or that failed with `error`."""
        if error is None:
            summary, data = f"Successfully executed action {action}", {"actionState": "Succeeded"}
        else:
            summary = f'Failed to execute action {action}. Received error: "{error}"'
            data = {"actionState": "Failed", "error": error}
        self._add(alarm, "Action", summary[:255], {**data, "notificationResource": action})

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of DescribeAlarmHistory."""
        start, end = params.get("StartDate"), params.get("EndDate")
        items = [
            item
            for item in self._items
            if params.get("AlarmName") in (None, item["AlarmName"])
            and params.get("HistoryItemType") in (None, item["HistoryItemType"])
            and (not params.get("AlarmTypes") or "MetricAlarm" in params["AlarmTypes"])
            and (start is None or item["Timestamp"] >= instant(epoch(start)))
            and (end is None or item["Timestamp"] <= instant(epoch(end)))
        ]
        if params.get("ScanBy", "TimestampDescending") != "TimestampAscending":
            items.reverse()
        page = paginate(items, params.get("NextToken"), params.get("MaxRecords") or 100, INVALID_TOKEN)
        return page.answer("AlarmHistoryItems")

    def _add(self, alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        self._items.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": "MetricAlarm",
                "Timestamp": instant(self._now()),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data, separators=(",", ":")),
            }
        )


def state_data(alarm: Alarm) -> dict[str, Any]:
    """The alarm's state as an item's HistoryData contains it."""
    data: dict[str, Any] = {"stateValue": alarm.state, "stateReason": alarm.reason}
    if alarm.reason_data is not None:
        data["stateReasonData"] = json.loads(alarm.reason_data)
    return data
