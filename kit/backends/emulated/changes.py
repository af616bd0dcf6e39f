"""Announces the changes that the emulated cloud reports at `/_emulation/changes`."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from urllib.parse import urlsplit

from ...core.changes import Changes
from ...core.errors import InfraError
from .admin_api import AdminApi

ANNOUNCED = ("ecs", "elbv2", "dynamodb", "logs")
"""Services whose every change the cloud reports. A queue's depth, for example, also changes by time alone."""


class ChangeFeed(Changes):
    """Reads the cloud's reports in a thread of its own, from `open` to `close` or to the cloud's end."""

    def __init__(self, admin: AdminApi) -> None:
        super().__init__()
        self._admin = admin
        address = urlsplit(admin.endpoint)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port)
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._read, name="changes", daemon=True)

    def open(self) -> None:
        """Connect. Raises `InfraError` when the cloud does not answer."""
        try:
            self._connection.connect()
        except OSError as error:
            raise InfraError(f"the cloud does not answer: {error}", where=self._admin.endpoint) from error
        self._socket = self._connection.sock  # the connection forgets it when an answer has begun
        self._thread.start()

    def close(self) -> None:
        """End the thread. Idempotent, also before `open`."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the cloud closed it
                self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def _read(self) -> None:
        try:
            self._connection.request(
                "GET", "/_emulation/changes", headers={"Authorization": f"Bearer {self._admin.token}"}
            )
            with self._connection.getresponse() as report:
                if report.status != 200:  # an older cloud
                    return
                report.readline()
                self.announce(*ANNOUNCED)
                for line in report:
                    self.notify(*line.decode().split())
        except (OSError, http.client.HTTPException):  # it ended
            return
        finally:
            self.silence(*ANNOUNCED)
            self._connection.close()
