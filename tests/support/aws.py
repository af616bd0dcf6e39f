"""One boto3 session for all tests of a process: it reads each service's model once."""

import boto3

SESSION = boto3.session.Session()
