"""What happened: behaviour events and the audit trail."""
