"""What a token may do, and the roles that people have: names for what usually goes together."""

import enum
from collections.abc import Collection, Iterable


class Scope(enum.StrEnum):
    """Stable words; a scope that writes a thing also reads it, and `admin` is all of them."""

    FEED = "feed"  # push products and batches, and watch one's own batches
    PRODUCTS_READ = "products:read"  # list, search and export products, their prices and where they are shown
    PRODUCTS_WRITE = "products:write"  # change and archive products, adjust stock, import files
    DISPLAYS_READ = "displays:read"  # list displays, and what they showed at any time
    DISPLAYS_WRITE = "displays:write"  # register, bind, swap, blink, resend, retire
    GATEWAYS_READ = "gateways:read"  # list gateways and how they are
    GATEWAYS_WRITE = "gateways:write"  # register gateways, change their settings, maintain them
    BATCHES_READ = "batches:read"  # list all batches of the store
    BATCHES_WRITE = "batches:write"  # release or cancel what a guard holds, retry, set guards
    WEBHOOKS_READ = "webhooks:read"  # list endpoints, events and deliveries
    WEBHOOKS_WRITE = "webhooks:write"  # make endpoints, rotate secrets, deliver again
    STORES_READ = "stores:read"  # list stores
    STORES_WRITE = "stores:write"  # make and change stores, ask for production
    TOKENS_READ = "tokens:read"  # list tokens, never themselves
    TOKENS_WRITE = "tokens:write"  # issue tokens of no more than one's own scopes, rotate, revoke
    AUDIT_READ = "audit:read"  # who changed what
    ADMIN = "admin"  # everything within the token's store or chain


_READS = tuple(scope for scope in Scope if scope.endswith(":read"))

ROLES: dict[str, tuple[Scope, ...]] = {
    "pos": (Scope.FEED,),
    "viewer": _READS,
    "staff": (Scope.PRODUCTS_READ, Scope.DISPLAYS_WRITE, Scope.GATEWAYS_READ, Scope.BATCHES_READ),
    "manager": (
        Scope.FEED, Scope.PRODUCTS_WRITE, Scope.DISPLAYS_WRITE, Scope.GATEWAYS_WRITE, Scope.BATCHES_WRITE,
        Scope.WEBHOOKS_WRITE, Scope.STORES_READ, Scope.AUDIT_READ,
    ),
    "admin": (Scope.ADMIN,),
}  # fmt: skip
"""Role -> its scopes. A token keeps scopes, not the role, so that a role that grows gives nothing to old tokens."""


_WORDS = frozenset(str(scope) for scope in Scope)


def implied(held: Iterable[str]) -> frozenset[Scope]:
    """Everything that a token with these scopes may do; words that are no scopes mean nothing."""
    found: set[Scope] = set()
    for word in held:
        if word == Scope.ADMIN:
            return frozenset(Scope)
        if word in _WORDS:
            found.add(Scope(word))
            if word.endswith(":write"):
                found.add(Scope(word.replace(":write", ":read")))
    return frozenset(found)


def allows(held: Iterable[str], any_of: Collection[Scope]) -> bool:
    """Whether one of these is among what a token may do."""
    return not implied(held).isdisjoint(any_of)
