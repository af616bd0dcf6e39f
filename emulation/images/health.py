"""Health check: exit code 0 when this container's program answers $HEALTH_PATH on $PORT with 200.

Uses plain sockets: it runs every few seconds, and importing urllib takes longer than the request.
"""

import os
import socket
import sys

port, path = int(os.environ["PORT"]), os.environ["HEALTH_PATH"]
try:
    with socket.create_connection(("127.0.0.1", port), timeout=4) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        status = connection.makefile("rb").readline()
except OSError as error:
    sys.exit(f"no answer on port {port}: {error}")
if status.split()[1:2] != [b"200"]:
    sys.exit(f"{path} answered {status.decode(errors='replace').strip() or 'nothing'}")
