"""A chain: its stores, its tokens, the way from a sandbox to production, and who changed what."""

from collections.abc import Iterator, Mapping
from typing import Any

from service.client.transport import Transport
from service.messages import Page
from service.messages.tenants import (
    AuditEntry,
    IssuedToken,
    Organisation,
    Production,
    ProductionRequest,
    RotatedToken,
    Simulation,
    Store,
    Token,
)


class Chains:
    """Raises RefusedError. Sees as much as the token reaches: its store, or the chain."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_organisation(self) -> Organisation:
        return self._transport.get("/organisation", Organisation)

    def list_stores(self, **filters: str | int | None) -> Iterator[Store]:
        return self._transport.pages("/stores", Page[Store], **filters)

    def create_store(self, new: Mapping[str, Any]) -> Store:
        return self._transport.send("POST", "/stores", new, Store, repeat=False)

    def get_store(self, store: str) -> Store:
        return self._transport.get(f"/stores/{store}", Store)

    def change_store(self, store: str, changes: Mapping[str, Any]) -> Store:
        return self._transport.send("PATCH", f"/stores/{store}", changes, Store)

    def simulate_displays(self, store: str, how: Mapping[str, Any]) -> Simulation:
        """Give a sandbox simulated displays."""
        return self._transport.send("POST", f"/stores/{store}/simulator", how, Simulation, repeat=False)

    def list_tokens(self, **filters: str | int | bool | None) -> Iterator[Token]:
        return self._transport.pages("/tokens", Page[Token], **filters)

    def issue_token(self, new: Mapping[str, Any]) -> IssuedToken:
        """It is shown this once."""
        return self._transport.send("POST", "/tokens", new, IssuedToken, repeat=False)

    def get_token(self, token_id: str) -> Token:
        return self._transport.get(f"/tokens/{token_id}", Token)

    def rotate_token(self, token_id: str, overlap: int | None = None) -> RotatedToken:
        """A new token in the place of this one, which is valid for `overlap` seconds more."""
        message = {} if overlap is None else {"overlap": overlap}
        return self._transport.send("POST", f"/tokens/{token_id}/rotate", message, RotatedToken, repeat=False)

    def revoke_token(self, token_id: str) -> Token:
        return self._transport.send("POST", f"/tokens/{token_id}/revoke", {}, Token)

    def list_changes(self, **filters: str | int | None) -> Iterator[AuditEntry]:
        """Who changed what, the newest first."""
        return self._transport.pages("/audit", Page[AuditEntry], **filters)


class Onboarding:
    """A sandbox's way to production. Raises RefusedError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_production(self) -> Production:
        """The checklist: what the integration has shown so far, and what is missing."""
        return self._transport.get("/production", Production)

    def ask_for_production(self, contact: str, note: str | None = None) -> ProductionRequest:
        message = {"contact": contact} | ({"note": note} if note else {})
        return self._transport.send("POST", "/production", message, ProductionRequest, repeat=False)

    def fetch_production_token(self) -> IssuedToken:
        """Once, after it was granted."""
        return self._transport.send("POST", "/production/token", {}, IssuedToken, repeat=False)
