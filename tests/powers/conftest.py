from tests.integration.conftest import (  # noqa: F401 - fixtures
    namespace,
    release,
    sources,
)
