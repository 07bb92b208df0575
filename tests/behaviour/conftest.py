"""The stage that every behaviour is shown on."""

from functools import partial

import pytest

from tests.behaviour.stage import set_stage


@pytest.fixture
def stage(tmp_path):
    """Set a stage in a folder of its own."""
    return partial(set_stage, tmp_path)
