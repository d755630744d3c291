"""Behaviour events and the audit trail."""
