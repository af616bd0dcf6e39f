"""The protocol of the SSM data channel, as ECS Exec uses it: messages and a reliable stream, without I/O.

Both ends use it: the client in `kit/ecs_exec` and the emulated agent in `emulation/services/ecs/exec`. It imports
neither.
"""

from .message import Message, MessageError, acknowledge, acknowledged_sequence
from .stream import Incoming, Outgoing

__all__ = ["Incoming", "Message", "MessageError", "Outgoing", "acknowledge", "acknowledged_sequence"]
