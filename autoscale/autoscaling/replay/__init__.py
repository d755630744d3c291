"""A trace as real load against a deployed stack, judged by the simulator's own figures."""
