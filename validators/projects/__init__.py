"""Run the tests that a project has, in whatever language, and read what its own runner reports."""
