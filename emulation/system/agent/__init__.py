"""The scripted agent: an instruction in a small grammar becomes changes to a site's files.

It is pure: it reads files through a `Files` and returns a `Plan`; nothing is written, run or waited for
here. The grammar is documented in GRAMMAR.md. Who wants a language model instead replaces `plan`.
"""

from .grammar import NotUnderstood, parse
from .planning import CannotDo, Files, Plan, plan

__all__ = ["CannotDo", "Files", "NotUnderstood", "Plan", "parse", "plan"]
