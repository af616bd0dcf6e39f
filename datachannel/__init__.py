"""The SSM data channel, as ECS Exec speaks it: its messages and its reliable stream, without any I/O.

Both ends use it, the client in `kit/ecs_exec` and the emulated agent in `emulation/ecs/exec`. It imports neither.
"""

from datachannel.message import Message, MessageError, acknowledge, acknowledged_sequence
from datachannel.stream import Incoming, Outgoing

__all__ = ["Incoming", "Message", "MessageError", "Outgoing", "acknowledge", "acknowledged_sequence"]
