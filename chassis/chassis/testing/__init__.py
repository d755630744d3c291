"""What tests of every service share: set-up, contract suites, a real local server, tokens."""
