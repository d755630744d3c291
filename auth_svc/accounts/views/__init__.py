"""Views of auth_svc."""
