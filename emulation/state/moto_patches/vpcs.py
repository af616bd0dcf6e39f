"""A VPC's network ACLs go with it, as on AWS; moto keeps them."""

from __future__ import annotations

from typing import Any


def take_network_acls_along() -> None:
    """To be called when `moto.ec2` is imported. Does nothing the second time."""
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
