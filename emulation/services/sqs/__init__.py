"""SQS over the base: long polling without spinning, AWS's waiting times, and the metrics AWS publishes."""

from .controller import Queues

__all__ = ["Queues"]
