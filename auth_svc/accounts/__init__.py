"""Accounts, credentials, tokens, roles and addresses."""
