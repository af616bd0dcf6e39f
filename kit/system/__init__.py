"""Facts about the system under test, and its CloudFormation template."""
