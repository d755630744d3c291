"""A request-level simulation of one service on a Swarm, to compare policies on the same traces."""
