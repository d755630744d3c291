"""Payment providers that implement the port of domain/payment.py."""
