"""Checks mail and names: SES's identity and active rule set, MX records, the certificate and its host name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from ..aws.client import Aws
from ..backends.live import account
from ..core.clock import Clock, iso
from ..settings import Settings
from .finding import DoctorFinding, fail, ok, warn
from .mx import mail_hosts

_RULES = 200
"""Per rule set: https://docs.aws.amazon.com/ses/latest/dg/quotas.html"""
_FEW = 50
"""Mails of all scenarios, sent and received, roughly."""
_MONTH = 30 * 86_400.0


async def identity(settings: Settings, aws: Aws) -> Sequence[DoctorFinding]:
    domain = settings.live.mail_domain
    if not domain:
        return [
            warn("mail domain", "none: mail scenarios are skipped", "to test mail: live.mail_domain, verified in SES")
        ]
    await account.refuse_unverified(aws, domain)
    return [ok("mail domain", f"{domain} is verified")]


async def sending(settings: Settings, aws: Aws) -> Sequence[DoctorFinding]:
    if not settings.live.mail_domain:
        return []
    quota = await aws.call("ses", "get_send_quota")
    left = quota["Max24HourSend"] - quota["SentLast24Hours"]
    seen = f"{left:.0f} mails left of {quota['Max24HourSend']:.0f} a day, {quota['MaxSendRate']:g} a second"
    if quota["Max24HourSend"] >= 0 and left < _FEW:
        return [warn("sending", seen, "wait, or ask for more: https://docs.aws.amazon.com/ses/latest/dg/quotas.html")]
    return [ok("sending", seen)]


async def rule_set(settings: Settings, aws: Aws) -> Sequence[DoctorFinding]:
    if not settings.live.mail_domain:
        return []
    name = await account.active_rule_set(aws)
    rules = (await aws.call("ses", "describe_active_receipt_rule_set")).get("Rules", ())
    seen = f"{name}, {len(rules)} rule(s); the stack's two are added in front and taken out again"
    if len(rules) + 2 > _RULES:
        return [fail("receipt rules", f"{name} has {len(rules)} rules of {_RULES}", "remove unused rules")]
    own = settings.live.mail_domain
    meant = [rule["Name"] for rule in rules if {own, f"clients.{own}"} & set(rule.get("Recipients", ()))]
    if meant:
        return [
            ok("receipt rules", seen),
            warn(
                "receipt rules",
                f"{', '.join(meant)} take(s) mail for {own} already",
                "a run's? kit janitor; else another domain",
            ),
        ]
    return [ok("receipt rules", seen)]


async def mx(settings: Settings, endpoint: str) -> Sequence[DoctorFinding]:
    """Checks that both domains lead to SES in this region."""
    domain = settings.live.mail_domain
    if not domain:
        return []
    if endpoint:
        return [ok("MX", f"not checked: {endpoint} replaces AWS and takes the mail")]
    wanted = f"inbound-smtp.{settings.region}.amazonaws.com"
    findings = []
    for name in (domain, f"clients.{domain}"):
        hosts = [host for _, host in await mail_hosts(name)]
        if wanted in hosts:
            findings.append(ok("MX", f"{name} → {wanted}"))
        else:
            seen = f"{name} → {', '.join(hosts) or 'no record'}"
            findings.append(fail("MX", seen, f"set the record: {name} MX 10 {wanted}"))
    return findings


async def certificate(settings: Settings, aws: Aws, clock: Clock) -> Sequence[DoctorFinding]:
    arn, host = settings.live.certificate, settings.stack.parameters.get("HostName", "")
    if not arn:
        return [ok("certificate", "none: the load balancer speaks HTTP")]
    found = (await aws.call("acm", "describe_certificate", CertificateArn=arn))["Certificate"]
    names = found.get("SubjectAlternativeNames") or [found["DomainName"]]
    findings = []
    if found["Status"] != "ISSUED":
        findings.append(fail("certificate", f"it is {found['Status']}", "validate it, or leave live.certificate empty"))
    if arn.split(":")[3] != settings.region:
        findings.append(
            fail("certificate", f"it is in {arn.split(':')[3]}", f"a load balancer needs one in {settings.region}")
        )
    if not any(covers(name, host) for name in names):
        seen = f"it is for {', '.join(names)}, not for HostName {host or '(unset)'}"
        findings.append(fail("certificate", seen, 'name one of them: [stack.parameters] HostName = "…"'))
    if "NotAfter" in found and found["NotAfter"].timestamp() - clock.now() < _MONTH:
        until = iso(found["NotAfter"].timestamp())
        findings.append(warn("certificate", f"it ends on {until}", "renew it: ACM does when its DNS record is there"))
    return findings or [ok("certificate", f"for {host}, {found['Status']}")]


def covers(name: str, host: str) -> bool:
    """Whether a certificate's name covers a host; a star replaces one label."""
    name, host = name.lower(), host.lower()
    return bool(host) and (name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:]))


async def host_name(settings: Settings) -> Sequence[DoctorFinding]:
    host = settings.stack.parameters.get("HostName", "")
    if not host:
        return []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except socket.gaierror:
        seen = f"{host} is not in the DNS"
        return [warn("host name", seen, "after kit deploy: a CNAME to the load balancer (output LoadBalancerUrl)")]
    return [ok("host name", f"{host} → {', '.join(sorted({str(each[4][0]) for each in found}))}")]
