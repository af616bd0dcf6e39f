"""Hermes: mails and HTTP requests become sessions, sessions get jobs, jobs become replies.

SQS -> consumer -> mail_handler --+--> opening -> instructions -> edit service (ECS, load balancer)
HTTP -> api -> activation ----+        |                           |
                                       v                           v
                                  sessions table              reply (SES)
watch: expires idle sessions, publishes the metrics that scale both services
"""
