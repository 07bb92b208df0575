"""Judge by tests that a model wrote from the task alone: read, run and weigh them."""
