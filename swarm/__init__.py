"""The shop on a Docker Swarm: `python -m swarm <verb>`; README.md says what is where."""
