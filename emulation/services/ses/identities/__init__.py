"""SES identities: verified addresses and domains."""
