"""The fork server: imports modules once, then forks a process for every program that the cloud wants to start.

    cloud --(socket: program, environment, folder; output's descriptor)--> fork server --fork--> program
          <--(lines: its process id; later its exit status)---------------

A forked program is what `python -m MODULE` would be: a session and process group of its own, the given environment,
working directory and output, no other descriptor, default signal handlers; also `/proc/PID/environ`, by which the
processes of a task are found, and `cmdline`. One thing tells it apart: it is a child of the fork server, which is the
cloud's child. Its `comm` is the last word of the module's name.

Between two orders the server sleeps in `select`; it has no timer and no thread. It ends when the socket closes.
Started by path: it imports nothing of this package but the modules it is asked for. Linux only.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import IO, Any

ROOM_VARIABLE, ROOM = "FORK_SERVER_ROOM", 32_768
"""A variable of the fork server's environment and its length: the room for that of a program in `/proc/PID/environ`."""
HEADER = 4
"""Bytes before each order: its length, big-endian. The output's descriptor comes with them."""


def serve(orders: socket.socket, preload: list[str]) -> None:
    """Carry out orders until the socket closes."""
    for name in preload:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, the pages that programs share
    ended, on_end = os.pipe()
    os.set_blocking(ended, False)
    os.set_blocking(on_end, False)
    signal.set_wakeup_fd(on_end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == ended:
                    _report_ends(orders, ended)
                elif not _carry_out(orders):
                    return


def _report_ends(orders: socket.socket, ended: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while os.read(ended, 512):
            pass
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            _say(orders, pid=found[0], ended=os.waitstatus_to_exitcode(found[1]))


def _carry_out(orders: socket.socket) -> bool:
    """Fork one program; False when the cloud is gone."""
    header, descriptors, _, _ = socket.recv_fds(orders, HEADER, 1)
    if not header:
        return False
    header += _received(orders, HEADER - len(header))
    order = json.loads(_received(orders, int.from_bytes(header, "big")))
    (output,) = descriptors
    trouble, on_trouble = os.pipe()
    try:
        pid = os.fork()
    except OSError as problem:
        _say(orders, error=problem.errno)
        pid = -1
    if pid == 0:
        _become(order, output, on_trouble)
    os.close(output)
    os.close(on_trouble)
    if pid > 0:
        with os.fdopen(trouble, "rb") as reader:  # ends when the program has its session, folder and output
            error = int(reader.read() or 0)
        _say(orders, **({"error": error} if error else {"pid": pid}))
    else:
        os.close(trouble)
    return True


def _received(orders: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not (piece := orders.recv(size - len(data))):
            raise EOFError("the cloud ended within an order")
        data += piece
    return bytes(data)


def _say(orders: socket.socket, **what: Any) -> None:
    orders.sendall(json.dumps(what).encode() + b"\n")


def _become(order: dict[str, Any], output: int, trouble: int) -> None:
    """In the forked process: become the program. Does not return."""
    status = 1
    try:
        _enter(order, output, trouble)
        sys.argv = [order["module"], *order["arguments"]]
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _enter(order: dict[str, Any], output: int, trouble: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        os.setsid()
        os.chdir(order["directory"])
        os.dup2(output, 1)
        os.dup2(output, 2)
    except OSError as error:
        os.write(trouble, str(error.errno).encode())
        os._exit(127)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    _show(order)
    os.closerange(3, trouble)
    os.closerange(trouble + 1, os.sysconf("SC_OPEN_MAX"))
    os.close(trouble)


def _show(order: dict[str, Any]) -> None:
    """Write the environment and the command line where the kernel shows those of the start.

    Nothing refers to that memory any more: Python has copied the arguments, and `os.environ.clear` has removed each
    variable that the process began with.
    """
    arguments, environment = [sys.executable, "-m", order["module"], *order["arguments"]], order["environment"]
    begin, end, environment_begin, environment_end = map(
        int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:49]
    )
    with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123
        _overwrite(memory, begin, end, arguments)
        _overwrite(memory, environment_begin, environment_end, [f"{name}={environment[name]}" for name in environment])
    Path("/proc/self/comm").write_text(order["module"].rpartition(".")[2])


def _overwrite(memory: IO[bytes], begin: int, end: int, texts: list[str]) -> None:
    """Put texts that end with NUL there, as much as fits."""
    block = b"".join(os.fsencode(text) + b"\0" for text in texts)[: end - begin - 1]
    memory.seek(begin)
    memory.write(block.ljust(end - begin, b"\0"))


def _status(code: object) -> int:
    """The exit status that Python gives `SystemExit(code)`."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the socket ends it
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
