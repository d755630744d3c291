"""People: accounts, credentials, tokens, roles, addresses."""
