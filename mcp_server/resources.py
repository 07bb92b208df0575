"""What can be read besides the tools: tasks, runs, the policy, the statistics."""

import json

from mcp.server.mcpserver import MCPServer

from mcp_server.desk import Desk


def add_resources(server: MCPServer[Desk], desk: Desk) -> None:
    """Offer `orchestrator://tasks/{task_id}`, `runs/{run_id}`, `policy` and `stats`."""

    @server.resource("orchestrator://tasks/{task_id}", mime_type="application/json")
    async def read_task(task_id: str) -> str:
        """One task with every attempt, verdict and receipt."""
        from orchestrator import answers  # noqa: PLC0415 - a host waits for the list of tools

        record = await desk.orchestrator.find(task_id)
        told = record.told
        return json.dumps(answers.tell_outcome(told, detail=True) if told else {"status": record.status})

    @server.resource("orchestrator://runs/{run_id}", mime_type="application/json")
    async def read_run(run_id: str) -> str:
        """One analysis as it was answered."""
        record = await desk.orchestrator.find(run_id, "analysis")
        return record.outcome or json.dumps({"run_id": run_id, "status": record.status})

    @server.resource("orchestrator://policy", mime_type="application/toml")
    async def read_policy() -> str:
        """The escalation.toml in force."""
        return desk.orchestrator.config.source.read_text(encoding="utf-8")

    @server.resource("orchestrator://stats", mime_type="application/json")
    async def read_stats() -> str:
        """Backends, budgets, success by worker and task type."""
        from orchestrator.reporting.reading import read_report  # noqa: PLC0415 - the same

        return json.dumps(await read_report(desk.orchestrator))
