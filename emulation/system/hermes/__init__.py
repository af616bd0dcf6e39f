"""Hermes: mails and HTTP requests become sessions, sessions become works, works become replies.

SQS -> consumer -> mailroom --+--> opening -> instructions -> edit service (ECS, load balancer)
HTTP -> api -> activation ----+        |                           |
                                       v                           v
                                  sessions table              reply (SES)
watch: expires idle sessions, publishes the metrics that scale both services
"""
