"""Everything that is ever said to a model: one deterministic template a file in this folder."""

from functools import cache
from importlib.resources import files
from string import Template


@cache
def _template(name: str) -> Template:
    return Template(files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8"))


def render(name: str, **values: str) -> str:
    """Fill the template `name`; every `$placeholder` must be given.

    Raises:
        KeyError: A placeholder has no value; that is our bug.
    """
    return _template(name).substitute(values)
