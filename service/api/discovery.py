"""Every operation in a list, for whoever has an address and nothing else."""

from importlib.metadata import version

from service.api.operations import OPERATIONS, Operation
from service.api.prefix import API_PREFIX
from service.messages.tenants import Discovery, Endpoint


def described() -> Discovery:
    return Discovery(
        name="Shelfcast",
        version=version("shelfcast"),
        documentation="/docs",
        openapi="/openapi.json",
        endpoints=[_endpoint(operation) for operation in OPERATIONS],
    )


def _endpoint(operation: Operation) -> Endpoint:
    return Endpoint(
        method=operation.method.upper(),
        path=operation.path if operation.reach == "open" else API_PREFIX + operation.path,
        operation_id=operation.id,
        summary=operation.summary,
        scopes=[str(scope) for scope in operation.scopes],
    )
