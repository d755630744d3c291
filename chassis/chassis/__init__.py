"""What every service shares and no service owns."""
