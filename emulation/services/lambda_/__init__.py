"""AWS Lambda: functions as processes of this machine, invoked by API, SNS, SQS and load balancers.

Invoke, SNS, ALB, event source mapping --> Invoker --> Fleet --> Environment (a process) <--Runtime API--> handler
                                             \\--> queue of asynchronous events, retries, destinations
"""

from .controller import Lambda

__all__ = ["Lambda"]
