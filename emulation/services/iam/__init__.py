"""IAM's decisions: what the policies of a role allow. The state store has the roles."""

from .roles import Role, trusts
from .statements import allows

__all__ = ["Role", "allows", "trusts"]
