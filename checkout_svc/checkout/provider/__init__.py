"""Payment providers behind the port of domain/payment.py. The built-in one is for demos."""
