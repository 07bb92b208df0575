"""Bubblewrap with a warm Python, to be held against what bubblewrap promises."""

import sys
from dataclasses import replace

from sandbox.bubblewrap import Bubblewrap
from sandbox.packing import check_files
from sandbox.zygote import START, Preload, Zygote
from validators.runners.python_start import preload

COLD = (sys.executable, "-I", "-S", "-c")


class Forking(Bubblewrap):
    """Runs what Python programs it can in a zygote of their own, so that none goes the cold way unseen."""

    async def run(self, program):
        if program.argv[: len(COLD)] not in (COLD, START) or program.tree or program.readable:
            return await super().run(program)
        check_files(program)
        zygote = await Zygote.start(Preload() if program.argv[: len(COLD)] == COLD else preload())
        try:
            execution = await zygote.run(replace(program, argv=(*START, *program.argv[len(COLD) :])))
        finally:
            await zygote.destroy()
        assert execution is not None, "the zygote did not start the program"
        return execution
