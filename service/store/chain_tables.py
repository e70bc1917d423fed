"""Tables of what is around the feed: who changed what, whom to tell, what displays and products went through, files.

The same conventions as `tables`, which holds the feed itself. Keyed by the store too, but for what belongs to a chain.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from service.store.table_parts import count, metadata, of_store, store, time, word

# Who changed what, through the management API or at a shell. Without a store: the chain's own affairs.
audit = Table(
    "audit",
    metadata,
    Column("organisation_id", Integer, ForeignKey("organisations.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("store_id", Integer, ForeignKey("stores.id")),
    time("at", required=True),
    Column("actor", Text, nullable=False),  # "token <name>" or "command line, <user>"
    Column("token_id", Text),
    Column("action", Text, nullable=False),  # core.actions
    Column("subject", Text),  # what was changed: id of a token, display, …
    Column("name", Text),  # the same as people call it, at that time
    Column("detail", Text, nullable=False, server_default="{}"),  # JSON: what it was and is, never a secret
    Column("request_id", Text),
    Index("ix_audit_organisation_id_store_id_id", "organisation_id", "store_id", "id"),
    Index("ix_audit_organisation_id_subject_id", "organisation_id", "subject", "id"),
    Index("ix_audit_organisation_id_action_id", "organisation_id", "action", "id"),
)

# What a sandbox integration really did, counted: the checklist before a production token.
milestones = Table(
    "milestones",
    metadata,
    store(),
    Column("kind", Text, primary_key=True),  # core.onboarding
    count("count"),
    time("first_at", required=True),
    time("last_at", required=True),
)

production_requests = Table(
    "production_requests",
    metadata,
    store(),  # the sandbox
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),  # core.onboarding.State
    Column("contact", Text, nullable=False),
    Column("note", Text),
    Column("checklist", Text, nullable=False),  # JSON: as it stood when it was asked for
    time("requested_at", required=True),
    Column("requested_by", Text, nullable=False),
    time("decided_at"),
    Column("decided_by", Text),
    Column("override", Text),  # why it was granted although the checklist was not complete
    Column("reason", Text),  # why it was refused
    Column("live_store_id", Integer, ForeignKey("stores.id")),
    Column("token_id", Text),
    Column("token", Text),  # sealed, until it is fetched once
    time("fetched_at"),
)

# Endpoints that are told of events. Without an organisation: the operator's own; without a store: the whole chain's.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation_id", Integer, ForeignKey("organisations.id")),
    Column("store_id", Integer, ForeignKey("stores.id")),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),  # JSON: core.webhooks
    Column("description", Text),
    Column("secret", Text, nullable=False),  # sealed
    Column("old_secret", Text),  # sealed; signs too until old_secret_until
    time("old_secret_until"),
    time("created_at", required=True),
    Column("created_by", Text, nullable=False),
    time("disabled_at"),
    Column("disabled_reason", Text),
    time("failing_since"),  # since then nothing was delivered
    time("paused_until"),  # it did not answer at all: nothing is posted to it until then
    Index("ix_webhooks_organisation_id_id", "organisation_id", "id"),
)

# What happened that somebody wanted to hear of.
events = Table(
    "events",
    metadata,
    store(),
    Column("id", Text, primary_key=True),  # the webhook-id
    Column("organisation_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    time("at", required=True),
    # Lists, of a chain and of a store, by time; and what is old, which is forgotten.
    Index("ix_events_organisation_id_at_id", "organisation_id", "at", "id"),
    Index("ix_events_organisation_id_kind_at_id", "organisation_id", "kind", "at", "id"),
    Index("ix_events_store_id_at_id", "store_id", "at", "id"),
    Index("ix_events_store_id_kind_at_id", "store_id", "kind", "at", "id"),
    Index("ix_events_at", "at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("webhook_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),  # core.webhooks.State
    count("attempts"),
    time("created_at", required=True),
    time("due_at", required=True),
    Column("worker", Text),
    time("lease_until"),
    time("closed_at"),
    Column("status", Integer),  # HTTP, of the last attempt
    Column("error", Text),
    Column("log", Text, nullable=False, server_default="[]"),  # JSON: every attempt, the newest last
    of_store("event_id", "events"),
    Index("ix_deliveries_webhook_id_id", "webhook_id", "id"),
    Index("ix_deliveries_webhook_id_state_id", "webhook_id", "state", "id"),
    Index("ix_deliveries_webhook_id_kind_id", "webhook_id", "kind", "id"),
    Index("ix_deliveries_store_id_event_id", "store_id", "event_id"),
    Index("ix_deliveries_created_at", "created_at"),  # what is old is forgotten
)
delivery_is_pending = deliveries.c.state == word("pending")
Index(
    "ix_deliveries_due",
    deliveries.c.webhook_id,
    deliveries.c.due_at,
    postgresql_where=delivery_is_pending,
    sqlite_where=delivery_is_pending,
)
_is_leased = deliveries.c.lease_until.is_not(None)
Index(
    "ix_deliveries_leased",
    deliveries.c.webhook_id,
    deliveries.c.lease_until,
    postgresql_where=_is_leased,
    sqlite_where=_is_leased,
)

# What became of a product besides its prices, which are in price_history; of its stock, what this API adjusted.
product_changes = Table(
    "product_changes",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("barcode", Text, nullable=False),
    time("at", required=True),
    Column("cause", Text, nullable=False),
    Column("cause_id", Text),
    Column("push", Integer),
    Column("row", Integer),
    Column("token_id", Text),
    Column("fields", Text, nullable=False),  # JSON: field -> [before, after], as core.product has them
    Column("reason", Text),  # in the words of who did it
    Index("ix_product_changes_store_id_barcode_id", "store_id", "barcode", "id"),
)

# Answers of requests that must not be done twice, by their Idempotency-Key.
answered = Table(
    "answered",
    metadata,
    store(),
    Column("key", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),  # of the method, path and body
    Column("answer", LargeBinary, nullable=False),
    time("at", required=True),
    Index("ix_answered_store_id_at", "store_id", "at"),
)

# What displays reported and went through besides what they showed, which is in showings.
display_events = Table(
    "display_events",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("display_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # "report", "button", "nfc", "blink", "moved", "swapped", …
    time("at", required=True),
    Column("data", Text, nullable=False, server_default="{}"),  # JSON
    of_store("display_id", "displays"),
    Index("ix_display_events_store_id_display_id_at_id", "store_id", "display_id", "at", "id"),
    Index("ix_display_events_store_id_kind_id", "store_id", "kind", "id"),
)

# How far the deletion of old history has come in each store; it begins anew once a day.
sweeps = Table(
    "sweeps",
    metadata,
    store(),
    Column("kind", Text, nullable=False),  # store.retention.KINDS
    Column("after", Text, nullable=False),  # the id that it came to
    time("next_at", required=True),
)

# Lights to be flashed by whichever worker has the gateway's line.
blinks = Table(
    "blinks",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("display_id", Text, nullable=False),
    Column("gateway_id", Text, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("asked_by", Text, nullable=False),
    time("asked_at", required=True),
    time("expires_at", required=True),
    Column("worker", Text),
    time("lease_until"),
    time("done_at"),
    Column("error", Text),
    of_store("display_id", "displays"),
)
blink_is_due = blinks.c.done_at.is_(None)
Index(
    "ix_blinks_due",
    blinks.c.store_id,
    blinks.c.gateway_id,
    postgresql_where=blink_is_due,
    sqlite_where=blink_is_due,
)

imports = Table(
    "imports",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("reference", Text),
    Column("mode", Text, nullable=False),
    Column("dry_run", Integer, nullable=False, server_default=text("0")),
    Column("options", Text, nullable=False),  # JSON: what the caller said of the file
    Column("detected", Text),  # JSON: what was found out about it
    Column("status", Text, nullable=False),  # core.imports.Status
    Column("reason", Text),
    Column("token_id", Text),
    Column("session_id", Text),  # the batch that it became
    time("started_at", required=True),
    time("expires_at", required=True),
    time("finalized_at"),
    time("completed_at"),
    Column("received_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("total_bytes", BigInteger),
    count("rows_read"),
    count("rows_accepted"),
    count("rows_rejected"),
    Column("summary", Text),  # JSON: of a dry run
    count("failures"),
    Column("worker", Text),
    time("lease_until"),
    Index("ix_imports_store_id_status_id", "store_id", "status", "id"),
)
import_is_due = imports.c.status == word("processing")
Index("ix_imports_due", imports.c.store_id, imports.c.id, postgresql_where=import_is_due, sqlite_where=import_is_due)

import_chunks = Table(
    "import_chunks",
    metadata,
    store(),
    Column("import_id", Text, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    of_store("import_id", "imports"),
)

import_differences = Table(
    "import_differences",
    metadata,
    store(),
    Column("import_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("barcode", Text, nullable=False),
    Column("kind", Text, nullable=False),  # "created", "changed", "archived"
    Column("fields", Text, nullable=False),  # JSON: field -> [before, after]
    of_store("import_id", "imports"),
)
