"""What every test may ask for."""

import pytest

pytest_plugins = ["tests.servers.fixtures"]


@pytest.fixture
def anyio_backend() -> str:
    """Run on the event loop that the server runs on."""
    return "asyncio"
