"""What `make run` brings up: the supervisor and the local processes."""
