"""SES sending: what is submitted, how it travels, and the outbox."""
