"""The face that Claude talks to: MCP over stdio. Parses, calls the orchestrator, answers; decides nothing."""
