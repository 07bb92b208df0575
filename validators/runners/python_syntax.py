"""Compile Python files without running them, inside the sandbox; one JSON line for each remark."""

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path


def remarks(path: str) -> Iterator[dict[str, str | int]]:
    """Compile one file and yield what the compiler says of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            yield {
                "message": error.msg,
                "line": error.lineno or 0,
                "column": max(error.offset or 0, 0),
                "code": type(error).__name__,
            }
        except (ValueError, MemoryError, RecursionError) as error:
            yield {"message": str(error) or "The code is nested too deeply.", "code": type(error).__name__}
    for warning in caught:
        yield {
            "message": str(warning.message),
            "line": warning.lineno,
            "code": warning.category.__name__,
            "severity": "warning",
        }


if __name__ == "__main__":
    for path in sys.argv[1:]:
        for remark in remarks(path):
            sys.stdout.write(json.dumps({"file": path} | remark) + "\n")
