"""Payment providers behind the port of domain/payment.py. The built-in one charges nobody."""
