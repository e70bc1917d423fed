"""The words for what people change, as the audit log keeps them."""

import enum


class Action(enum.StrEnum):
    """Stable: `<thing>.<what happened to it>`."""

    ORGANISATION_CREATED = "organisation.created"
    STORE_CREATED = "store.created"
    STORE_CHANGED = "store.changed"
    TOKEN_CREATED = "token.created"  # noqa: S105
    TOKEN_ROTATED = "token.rotated"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    PRODUCTION_REQUESTED = "production.requested"
    PRODUCTION_GRANTED = "production.granted"
    PRODUCTION_REFUSED = "production.refused"
    PRODUCTION_FETCHED = "production.fetched"
    PRODUCT_CREATED = "product.created"
    PRODUCT_CHANGED = "product.changed"
    PRODUCT_ARCHIVED = "product.archived"
    PRODUCT_RESTORED = "product.restored"
    STOCK_ADJUSTED = "stock.adjusted"
    IMPORT_STARTED = "import.started"
    IMPORT_CANCELLED = "import.cancelled"
    DISPLAY_REGISTERED = "display.registered"
    DISPLAYS_IMPORTED = "displays.imported"
    DISPLAY_CHANGED = "display.changed"
    DISPLAY_BOUND = "display.bound"
    DISPLAY_UNBOUND = "display.unbound"
    DISPLAY_SWAPPED = "display.swapped"
    DISPLAY_RETIRED = "display.retired"
    DISPLAY_RESENT = "display.resent"
    DISPLAY_BLINKED = "display.blinked"
    GATEWAY_CREATED = "gateway.created"
    GATEWAY_CHANGED = "gateway.changed"
    GATEWAY_RETIRED = "gateway.retired"
    MAINTENANCE_BEGUN = "maintenance.begun"
    MAINTENANCE_ENDED = "maintenance.ended"
    BATCH_RELEASED = "batch.released"
    BATCH_CANCELLED = "batch.cancelled"
    BATCH_RETRIED = "batch.retried"
    GUARDS_CHANGED = "guards.changed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DISABLED = "webhook.disabled"
    DELIVERY_REPEATED = "delivery.repeated"
