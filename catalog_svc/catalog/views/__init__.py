"""HTTP in and out: validate, one call, answer."""
