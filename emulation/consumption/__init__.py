"""What is used of DynamoDB, SNS and CloudWatch Logs, published as AWS publishes it."""

from emulation.consumption.controller import Consumption

__all__ = ["Consumption"]
