"""What agent and client agree on before a session's first output, and why they may not.

    agent --HandshakeRequest--> client --HandshakeResponse--> agent --HandshakeComplete--> client

ECS Exec has it only where the cluster's `executeCommandConfiguration` names a KMS key; other kinds of session always.
Texts are those of amazon-ssm-agent (`datachannel.go`, `sessionplugin.go`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AGENT_VERSION = "3.3.0.0"
WITHIN = 15.0
"""Seconds an agent waits for the client's answer."""
_SUCCESS = 1
_FAILED = "Encountered error while initiating handshake. {}"
TIMED_OUT = _FAILED.format(
    "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
)


@dataclass(frozen=True)
class Handshake:
    """What the agent asks of the client: its kind of session, and encryption where there is a key."""

    kms_key_id: str | None = None
    within: float = WITHIN

    def request(self, challenge: bytes) -> dict[str, Any]:
        """The HandshakeRequest; `challenge` is 16 random bytes, which only encryption needs."""
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

    def refused(self, response: Any) -> str | None:
        """Why a client's HandshakeResponse ends the session, in the agent's words; None when it may go on."""
        try:
            done = {action["ActionType"]: action for action in response["ProcessedClientActions"]}
        except (KeyError, TypeError):
            return _FAILED.format("Fetching the client's answer failed.")
        for kind in ("SessionType", "KMSEncryption")[: 1 if self.kms_key_id is None else 2]:
            action: Mapping[str, Any] = done.get(kind, {})
            if (status := action.get("ActionStatus")) != _SUCCESS:
                error = action.get("Error") or ""
                return _FAILED.format(f"{kind} failed on client with status {status} error: {error}")
        if self.kms_key_id is not None:
            return _FAILED.format(
                "The emulated cloud cannot encrypt ECS Exec sessions, and the cluster's "
                f"executeCommandConfiguration.kmsKeyId, {self.kms_key_id}, demands it. Take the key off the cluster."
            )
        return None

    def complete(self, seconds: float) -> dict[str, Any]:
        """The HandshakeComplete after so many seconds."""
        return {"HandshakeTimeToComplete": int(seconds * 1e9), "CustomerMessage": ""}
