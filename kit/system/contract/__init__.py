"""The contract: formats of the messages between the parts of the system under test, and to its clients.

    HTTP answers (answers.py)   session rows (rows.py)   queue messages (messages.py)   reply mails (replies.py)
             hot reload (hot_reload.py)
                    \\_____________________|____________________|______________________/
                                           v
                     Terms, units and the breach that names the hop (terms.py)

The deployed system had no such schema: reading a status by a wrong key was 404 for weeks, and rows with a `ttl` in
milliseconds never expired. The harness checks everything it reads; `kit contract` does so on demand.
"""

from .answers import check_answer
from .hot_reload import check_hot_reload
from .messages import check_message
from .replies import check_reply
from .rows import SessionRow, check_row
from .terms import ContractBroken

__all__ = [
    "ContractBroken",
    "SessionRow",
    "check_answer",
    "check_hot_reload",
    "check_message",
    "check_reply",
    "check_row",
]
