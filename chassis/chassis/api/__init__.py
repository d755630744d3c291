"""What the suite's JSON interfaces have in common (design: api.md, Conventions)."""
