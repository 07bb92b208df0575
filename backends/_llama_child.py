"""Serve one GGUF file by llama.cpp's own HTTP server; run as a program, never imported.

One JSON line on stdin says what to serve. `READY <address>` or `FAILED <reason>` on stdout answers it. When
stdin closes, whether by the parent's wish or its death, the process ends.
"""

import json
import os
import sys

import xllamacpp


def serve() -> None:
    """Load the model, serve it until stdin closes."""
    settings = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w")
    # What llama.cpp logs must not mix with the answer, nor fill a pipe that nobody reads.
    os.dup2(2, 1)
    try:
        server = xllamacpp.Server(_params(settings))
    except (RuntimeError, ValueError) as error:
        answers.write(f"FAILED {error}\n")
        answers.flush()
        os._exit(1)
    answers.write(f"READY {server.listening_address}\n")
    answers.flush()
    sys.stdin.read()
    # The server's threads do not end by themselves.
    os._exit(0)


def _params(settings: dict[str, str]) -> xllamacpp.CommonParams:
    slots = int(settings["slots"])
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["name"]}
    params.api_keys = [settings["api_key"]]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = slots * int(settings["context_tokens"])
    params.ui = False
    params.warmup = False
    params.verbosity = 0
    return params


if __name__ == "__main__":
    serve()
