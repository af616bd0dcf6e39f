"""Checks whether a container reaches an AWS service, by a request sent from inside by ECS Exec.

    ECS Exec --> shell in the container --GET /--> dynamodb.<region>.amazonaws.com: any answer at all, or none

The request is not signed: a refusal is an answer, too. It names a key and a service as a signed request does, so that
the emulated cloud recognises the caller, and uses the endpoints in the container's environment, as SDKs do.
"""

from __future__ import annotations

from typing import Literal

from ..core.errors import UsageError
from .context import ANSWERS, SILENT, FaultContext

ReachedService = Literal["dynamodb", "s3"]

NO_CLIENT = 4
_PYTHON = (
    "import sys, urllib.request as r, urllib.error as e\n"
    'try: r.urlopen(r.Request(sys.argv[1], headers={"Authorization": sys.argv[2]}), timeout=float(sys.argv[3]))\n'
    "except e.HTTPError: pass"
)
_NODE = (
    "fetch(process.argv[1], {headers: {Authorization: process.argv[2]}, "
    "signal: AbortSignal.timeout(1000 * process.argv[3])}).then(() => process.exit(0), () => process.exit(1))"
)


def request_script(service: ReachedService, seconds: float) -> str:
    """A shell script that waits so many wall seconds and prints `answers` or `silent`."""
    variable = f"AWS_ENDPOINT_URL_{service.upper()}"
    return (
        'region="${AWS_REGION:-${AWS_DEFAULT_REGION:?}}"; '
        f'url="${{{variable}:-${{AWS_ENDPOINT_URL:-https://{service}.$region.amazonaws.com}}}}/"; '
        'scope="${AWS_ACCESS_KEY_ID:-none}/20260101/$region/' + f'{service}/aws4_request"; '
        'who="AWS4-HMAC-SHA256 Credential=$scope, SignedHeaders=host, Signature=0"; '
        "if command -v curl >/dev/null; then "
        f'curl -sS -o /dev/null -m {seconds:g} -H "Authorization: $who" "$url" 2>/dev/null; '
        f'elif command -v python3 >/dev/null; then python3 -c \'{_PYTHON}\' "$url" "$who" {seconds:g} 2>/dev/null; '
        f'elif command -v node >/dev/null; then node -e \'{_NODE}\' "$url" "$who" {seconds:g} 2>/dev/null; '
        f'else echo "no curl, python3 or node"; exit {NO_CLIENT}; fi && echo {ANSWERS} || echo {SILENT}'
    )


async def reaches(context: FaultContext, task: str, container: str, service: ReachedService, seconds: float) -> bool:
    """Send one request. Raises `ExecError` when ECS Exec fails, `UsageError` for an image without an HTTP client."""
    result = await context.run(task, container, request_script(service, seconds))
    output = result.output.strip()
    if output not in (ANSWERS, SILENT):
        raise UsageError(
            f"it cannot be checked from inside whether {container} of {task} reaches {service}: {output}",
            next="the image needs one of curl, python3 and node",
        )
    return output == ANSWERS
