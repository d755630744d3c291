"""The filtering proxy before Docker's socket. Standard library only, as the agent."""
