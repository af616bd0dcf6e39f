"""SES receiving: the SMTP door, receipt rules and their actions."""
