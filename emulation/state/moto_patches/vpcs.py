"""Deletes a VPC's network ACLs with it, as AWS does; moto keeps them."""

from __future__ import annotations

from typing import Any


def delete_network_acls_with_vpc() -> None:
    """Call it after importing `moto.ec2`. Idempotent."""
    from moto.ec2.models.vpcs import VPCBackend  # noqa: PLC0415 - heavy: only where moto runs

    delete = VPCBackend.delete_vpc
    if delete.__module__ == __name__:
        return

    def delete_vpc(self: Any, vpc_id: str) -> Any:
        vpc = delete(self, vpc_id)
        for id in [id for id, acl in self.network_acls.items() if acl.vpc_id == vpc_id]:
            del self.network_acls[id]
        return vpc

    VPCBackend.delete_vpc = delete_vpc
