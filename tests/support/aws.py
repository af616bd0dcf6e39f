"""One boto3 session for all tests of a process: it reads each service's model once."""

from collections.abc import Mapping
from typing import Any

import boto3

SESSION = boto3.session.Session()


def client_in(environ: Mapping[str, str], service: str) -> Any:
    """A client with the endpoint and keys of these variables, such as `kit up --json` prints as `environment`."""
    return SESSION.client(
        service,
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        region_name=environ["AWS_DEFAULT_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )
