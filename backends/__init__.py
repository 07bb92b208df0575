"""Ask a model: the servers that serve models, and nothing of tasks, tiers or money."""
