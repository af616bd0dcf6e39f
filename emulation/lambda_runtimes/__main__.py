"""Runs a Python handler. Started by path or by `-m`; a forked one has boto3 imported already."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_VERSION = "2018-06-01"
_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"


class Context:
    """The handler's second argument, as AWS's runtime for Python makes it."""

    identity = None
    client_context = None

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ[_MEMORY]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._ends = time.monotonic() * 1000 + int(headers["Lambda-Runtime-Remaining-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(self._ends - time.monotonic() * 1000))


class RuntimeApi:
    def __init__(self, address: str) -> None:
        host, _, path = address.partition("/")
        self._connection = http.client.HTTPConnection(host)
        self._path = f"/{path}/{_VERSION}/runtime".replace("//", "/")

    def next(self) -> tuple[http.client.HTTPMessage, bytes]:
        self._connection.request("GET", f"{self._path}/invocation/next")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            sys.exit(0)
        return answer.headers, body

    def post(self, path: str, body: bytes) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._connection.request("POST", f"{self._path}/{path}", body)
        self._connection.getresponse().read()


def main() -> None:
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    _limit_memory(int(os.environ[_MEMORY]))
    try:
        handler = _load(os.environ["_HANDLER"])
    except MemoryError:
        os.kill(os.getpid(), signal.SIGKILL)
    except BaseException as error:
        traceback.print_exc()
        api.post("init/error", _described(error))
        sys.exit(1)
    while True:
        headers, event = api.next()
        _handle(api, handler, headers, event)


def _handle(
    api: RuntimeApi, handler: Callable[[Any, Context], Any], headers: http.client.HTTPMessage, event: bytes
) -> None:
    context = Context(headers)
    try:
        result = json.dumps(handler(json.loads(event), context), ensure_ascii=False).encode()
    except MemoryError:  # AWS kills the process
        os.kill(os.getpid(), signal.SIGKILL)
    except Exception as error:
        traceback.print_exc()
        api.post(f"invocation/{context.aws_request_id}/error", _described(error))
    else:
        api.post(f"invocation/{context.aws_request_id}/response", result)


def _load(name: str) -> Callable[[Any, Context], Any]:
    """The function of `module.function` or `folder/module.function`, from LAMBDA_TASK_ROOT."""
    sys.path[0:0] = [os.environ["LAMBDA_TASK_ROOT"]]
    module, _, function = name.rpartition(".")
    handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module.replace("/", ".")), function)
    return handler


def _described(error: BaseException) -> bytes:
    return json.dumps(
        {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": "",
            "stackTrace": traceback.format_tb(error.__traceback__),
        }
    ).encode()


def _limit_memory(mib: int) -> None:
    """Limit what the process allocates from now on; what the interpreter has at its start is left out."""
    with contextlib.suppress(ImportError, OSError, ValueError, IndexError):
        import resource  # noqa: PLC0415 - POSIX only

        pages = int(Path("/proc/self/statm").read_text().split()[5])
        limit = pages * resource.getpagesize() + (mib << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
