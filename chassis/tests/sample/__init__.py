"""A service of a dozen lines, for the chassis's own tests."""
