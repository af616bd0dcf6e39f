"""SES receiving: the SMTP server, receipt rules and their actions."""
