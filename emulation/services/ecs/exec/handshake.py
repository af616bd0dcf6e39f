"""The handshake of agent and client at the start of a session.

    agent --HandshakeRequest--> client --HandshakeResponse--> agent --HandshakeComplete--> client

ECS Exec uses it only with a KMS key in the cluster's `executeCommandConfiguration`; other kinds of session always.
Texts are from amazon-ssm-agent (`datachannel.go`, `sessionplugin.go`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AGENT_VERSION = "3.3.0.0"
WITHIN = 15.0
"""Seconds for which the agent waits for the client's response."""
_SUCCESS = 1
_FAILED = "Encountered error while initiating handshake. {}"
TIMED_OUT = _FAILED.format(
    "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
)


@dataclass(frozen=True)
class Handshake:
    """Requests the session type, and encryption if there is a key."""

    kms_key_id: str | None = None
    within: float = WITHIN

    def request(self, challenge: bytes) -> dict[str, Any]:
        """The HandshakeRequest; `challenge` is 16 random bytes for encryption."""
        actions: list[dict[str, Any]] = [
            {
                "ActionType": "SessionType",
                "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": None},
            }
        ]
        if self.kms_key_id is not None:
            parameters = {"KMSKeyId": self.kms_key_id, "Challenge": base64.b64encode(challenge).decode()}
            actions.append({"ActionType": "KMSEncryption", "ActionParameters": parameters})
        return {"AgentVersion": AGENT_VERSION, "RequestedClientActions": actions}

    def error(self, response: Any) -> str | None:
        """The agent's error for a HandshakeResponse; None if the client accepted."""
        try:
            processed = {action["ActionType"]: action for action in response["ProcessedClientActions"]}
        except (KeyError, TypeError):
            return _FAILED.format("Fetching the client's answer failed.")
        for kind in ("SessionType", "KMSEncryption")[: 1 if self.kms_key_id is None else 2]:
            action: Mapping[str, Any] = processed.get(kind, {})
            if (status := action.get("ActionStatus")) != _SUCCESS:
                reason = action.get("Error") or ""
                return _FAILED.format(f"{kind} failed on client with status {status} error: {reason}")
        if self.kms_key_id is not None:
            return _FAILED.format(
                "The emulated cloud cannot encrypt ECS Exec sessions, and the cluster's "
                f"executeCommandConfiguration.kmsKeyId, {self.kms_key_id}, demands it. Take the key off the cluster."
            )
        return None

    def complete(self, seconds: float) -> dict[str, Any]:
        """The HandshakeComplete after so many seconds."""
        return {"HandshakeTimeToComplete": int(seconds * 1e9), "CustomerMessage": ""}
