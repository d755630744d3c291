"""The Docker API, the node agents, the gateway's figures, logs_svc, as seen from here."""
