"""A typed client of the API, for programs: what our own command line speaks, too.

    with Client("https://shelf.example", token) as client:
        client.feed.add_products([{"barcode": "3850123456782", "name": "Chocolate", "price": "1.99"}])

Whatever is safe to repeat is repeated while the API is away or busy, as its Retry-After asks; a refusal is a
RefusedError with the API's own sentence. Answers are the structs of `service.messages`.
"""

from collections.abc import Callable
from typing import Self

from service.client.chains import Chains, Onboarding
from service.client.displays import Displays
from service.client.feed import ROWS_A_PUSH, Feed
from service.client.gateways import Batches, Gateways
from service.client.imports import Imports
from service.client.products import Products
from service.client.transport import RefusedError, Transport
from service.client.webhooks import Webhooks

__all__ = ["ROWS_A_PUSH", "Client", "Feed", "RefusedError"]


class Client:
    """One token's view of the API; see `Transport` for the arguments. Close it, or use it in `with`.

    Attributes:
        feed, products, displays, gateways, batches, imports, onboarding: About one store: the token's, or with a
            chain's token the one that `store` names by its slug or ULID.
        chain, webhooks: About all that the token reaches.
    """

    def __init__(
        self,
        url: str,
        token: str,
        patience: float = 120.0,
        tell: Callable[[str], None] = lambda _: None,
        *,
        store: str | None = None,
    ) -> None:
        self._transport = Transport(url, token, patience, tell)
        about = self._transport.about(store)
        self.feed = Feed(self._transport)
        self.products = Products(about)
        self.displays = Displays(about)
        self.gateways = Gateways(about)
        self.batches = Batches(about)
        self.imports = Imports(about)
        self.onboarding = Onboarding(about)
        self.chain = Chains(self._transport)
        self.webhooks = Webhooks(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()
