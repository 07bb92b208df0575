"""Run Python tests beside a candidate; copied into the sandbox, so it imports nothing else of ours."""
