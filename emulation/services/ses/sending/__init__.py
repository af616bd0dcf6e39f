"""SES sending: submission, delivery, feedback and the outbox."""
