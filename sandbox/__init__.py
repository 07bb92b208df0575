"""Run programs nobody trusts; knows nothing of models or tasks."""
