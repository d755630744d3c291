"""Data of earlier versions: how it was made, what is in it, and a test that opens it with this one."""
