"""What Python functions import at their start, for a process that they are forked from. Starts no thread."""

from __future__ import annotations

import boto3

PROGRAM = boto3
