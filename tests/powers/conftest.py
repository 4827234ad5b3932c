from tests.integration.conftest import (  # noqa: F401 - fixtures
    namespace,
    operator_kubeconfig,
    release,
    server,
    sources,
)
