"""The face for a person at a terminal, a script or a terminal agent: the command `orchestrator`."""
