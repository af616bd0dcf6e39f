"""SQS over the base: long polling without busy waiting, AWS's waiting times, and CloudWatch metrics."""

from .controller import Sqs

__all__ = ["Sqs"]
