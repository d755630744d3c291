"""What test_bad_input.py sends, to whom, and how it looks at the answers."""
