"""An AWS-compatible endpoint as a state store: signed HTTP requests, with times, accounts and addresses translated.

parameters --> its terms --> request, signed --> endpoint --> answer --> the cloud's terms
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from ..core.errors import AwsError
from ..time.clock import Clock
from . import remote_s3, sdk
from .models import operation_model, validate
from .remote_sqs import RemoteQueues
from .signing import Keys, bare, signed
from .translation import Terms, Times
from .wire import HttpRequest, HttpResponse

PATIENCE = 60.0
"""Wall seconds for one answer."""
_NOT_AVAILABLE = re.compile(
    r"license plan|not (?:yet )?(?:been )?implemented|not supported|not emulated|is not enabled|unknown ?operation"
    r"|unsupported (?:service|operation)|unknown service",
    re.IGNORECASE,
)
"""Emulators' messages for a service or operation that they lack."""
_PROXY_ERRORS = frozenset({502, 503, 504})
"""Statuses of a proxy whose server is down or does not answer."""
_CODES = frozenset({"NotImplemented", "UnknownOperationException", "UnknownOperation", "InvalidAction"})


class EndpointUnreachable(OSError):
    """Nothing answers at the endpoint, or not as AWS does; the text says what to do."""

    def __str__(self) -> str:
        return str(self.args[0])


class NotAvailable(AwsError):
    """The endpoint lacks the service or operation."""


class Endpoint:
    """A client of one endpoint."""

    def __init__(
        self, clock: Clock, url: str, keys: Keys, *, region: str, account: str, host: Callable[[], str]
    ) -> None:
        """`url` is scheme, host and port; `host` is the gateway's `host:port`."""
        self.url = url.rstrip("/")
        self._keys = keys
        self._region = region
        self._account = account
        address = urlsplit(self.url).netloc
        self._terms = Terms(Times(clock), host, account, address, account)
        self._queues = RemoteQueues(clock, self._terms, self._ask)
        self._session: aiohttp.ClientSession | None = None

    @property
    def account(self) -> str:
        """The account of these calls at the endpoint."""
        return self._terms.their_account

    async def start(self) -> None:
        """Connect and read the account. Raises `EndpointUnreachable`."""
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=64),
            timeout=aiohttp.ClientTimeout(total=PATIENCE, connect=5.0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        try:
            async with asyncio.timeout(PATIENCE):
                self._terms.their_account = (await self._ask("sts", "GetCallerIdentity", self._region, {}))["Account"]
        except (AwsError, KeyError):  # without STS it accepts any account
            pass
        except OSError as error:
            raise EndpointUnreachable(
                f"nothing answers at the base {self.url}: {error}. next: start it, or take "
                'another base: --base moto, or base = "…" below [emulated] in kit.toml'
            ) from error

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def forward(self, service: str, operation: str, request: HttpRequest, request_id: str) -> HttpResponse:
        """Pass on an S3 request with translated times and addresses. Other services use `call`."""
        asked = remote_s3.out(bare(request), self._terms)
        unsigned = "authorization" not in request.headers and "Signature=" not in request.query
        answer = await self._sent(service, operation, asked, self._region, unsigned=unsigned)
        back = remote_s3.back(operation, answer, self._terms)
        return replace(back, headers={**back.headers, "x-amz-request-id": request_id})

    async def call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        validate(service, operation, params)
        if service == "sqs":
            return await self._queues.call(operation, region, params)
        return await self._ask(service, operation, region, params)

    async def _ask(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One call in the cloud's terms. Raises `AwsError`, and `NotAvailable` for what the endpoint lacks."""
        model = operation_model(service, operation)
        theirs = self._terms.out(service, params, model.input_shape)
        request = sdk.to_request(service, operation, region, theirs, urlsplit(self.url).netloc)
        response = await self._sent(service, operation, request, region)
        answer = self._read(service, operation, response)
        back: dict[str, Any] = self._terms.back(service, answer, model.output_shape)
        return back

    def _read(self, service: str, operation: str, response: HttpResponse) -> dict[str, Any]:
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - heavy

        if response.status in _PROXY_ERRORS and (_is_page(response.body) or not response.body.strip()):
            said = f"status {response.status}: {_words(response.body)}".removesuffix(": ")
            text = f"The base {self.url} did not answer {service}:{operation}: {said}"
            raise AwsError("ServiceUnavailable", text, status=response.status)
        try:
            streams = operation_model(service, operation).has_streaming_output
            if response.status < 400 and not streams and _is_page(response.body):
                raise ResponseParserError("a page")
            return sdk.to_result(service, operation, response)
        except (ResponseParserError, KeyError, TypeError, ValueError) as error:
            said = f"status {response.status}: {_words(response.body)}"
            raise self._not_available(service, operation, said) from error
        except AwsError as error:
            if response.status == 501 or (error.code == str(response.status) and _is_page(response.body)):
                said = _words(response.body) if _is_page(response.body) else error.message
                raise self._not_available(service, operation, said) from error
            if error.code in _CODES or _NOT_AVAILABLE.search(error.message):
                raise self._not_available(service, operation, error.message) from error
            said = self._terms.text_back(error.message)
            raise AwsError(error.code, said, status=error.status, **error.extra) from error

    def _not_available(self, service: str, operation: str, said: str) -> NotAvailable:
        text = f"the base {self.url} does not have {service}:{operation}"
        return NotAvailable("NotImplemented", f"{text}: {said[:200]}" if said else f"{text}.", status=501, said=said)

    async def _sent(
        self, service: str, operation: str, request: HttpRequest, region: str, *, unsigned: bool = False
    ) -> HttpResponse:
        assert self._session is not None
        headers = dict(request.headers) if unsigned else signed(request, self.url, service, region, self._keys)
        for name in ("host", "connection", "content-length", "transfer-encoding", "Content-Length"):
            headers.pop(name, None)
        headers |= {"accept-encoding": "identity", "x-moto-account-id": self._account}
        url = URL(f"{self.url}{request.path}{'?' + request.query if request.query else ''}", encoded=True)
        try:
            async with self._session.request(
                request.method, url, data=request.body or None, headers=headers, allow_redirects=False
            ) as answer:
                return HttpResponse(
                    answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.read()
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            if operation == "GetCallerIdentity":
                raise OSError(str(error) or type(error).__name__) from error
            said = f"The base {self.url} did not answer {service}:{operation}: {error or type(error).__name__}"
            raise AwsError("InternalFailure", said, status=500) from error


def _is_page(body: bytes) -> bool:
    """Whether it is HTML: moto's server answers so for what it lacks."""
    return body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))


def _words(body: bytes) -> str:
    """The text of a page without its tags; the message of a JSON object."""
    try:
        return str(json.loads(body)["message"])[:200]
    except (ValueError, KeyError, TypeError):
        pass
    text = re.sub(r"<(style|script|title).*?</\1>|<[^>]+>", " ", body.decode(errors="replace"), flags=re.DOTALL)
    return " ".join(text.split())[:200]
