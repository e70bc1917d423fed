"""Every table, as decided in docs/adr/0003-facts-of-the-model.md.

Each key begins with the store, so that the data can be spread by store. Ids are ULIDs and public; only `organisations`
and `stores` have a small integer besides, which never leaves the service. Columns named `*_at`, `*_until`, `*_by` hold
milliseconds since the epoch, UTC; prices are 1/10,000 of the currency unit.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    literal_column,
    or_,
    text,
)

from service.store.table_parts import count, metadata, of_store, store, time, word

organisations = Table(
    "organisations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ulid", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    time("created_at", required=True),
)

stores = Table(
    "stores",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ulid", Text, nullable=False, unique=True),
    Column("organisation_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text),  # as people call it; None: its slug
    Column("environment", Text, nullable=False),  # "live" or "sandbox"
    Column("currency", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("templates", Text, nullable=False, server_default="{}"),  # JSON: core.choosing.Choice
    Column("redraw_after", Text),  # while its displays are planned anew: the id of the last one that was; "" for none
    Column("guards", Text, nullable=False, server_default="{}"),  # JSON: core.guards.Guards
    Column("saver", Text),  # who saves this store's batches; one at a time
    time("saver_until"),
    time("created_at", required=True),
)

# One row: when the reconciler looked last, which tells that the machine's clock was turned back.
rounds = Table("rounds", metadata, Column("id", Integer, primary_key=True), time("at", required=True))

# Apart from `stores`, so that a push waits for the next number only, never for a saver that holds the store's row.
store_sequences = Table(
    "store_sequences",
    metadata,
    store(),
    Column("received", BigInteger, nullable=False, server_default=text("0")),
)

# Looked up by hash before the store is known, hence keyed by it. Without a store it is the whole chain's.
tokens = Table(
    "tokens",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("organisation_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("store_id", Integer, ForeignKey("stores.id")),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("scopes", Text, nullable=False, server_default='["feed"]'),  # JSON: core.scopes
    Column("plan", Text, nullable=False, server_default="unlimited"),  # how often it may ask: core.limits
    time("created_at", required=True),
    time("expires_at"),
    time("revoked_at"),
    time("last_used_at"),
    Column("created_by", Text),
    Column("replaces", Text),  # id of the token that it was rotated from
    Column("series", Text),  # of the first of these: they share their limits
    Index("ix_tokens_organisation_id_id", "organisation_id", "id"),
)

gateways = Table(
    "gateways",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("driver", Text, nullable=False),
    Column("config", Text, nullable=False, server_default="{}"),  # JSON; its secrets are sealed: service.sealing
    time("created_at", required=True),
    time("retired_at"),
    time("maintenance_since"),  # its updates wait, and nobody is told that it does not answer
    Column("maintenance_by", Text),
    Column("maintenance_reason", Text),
    time("unreachable_since"),
    time("offline_told_at"),  # webhooks were told that it does not answer; None: nor do they know
    time("reached_at"),
    Column("error", Text),
    Column("info", Text),  # JSON: display_drivers.base.DriverInfo, as its driver stated it when it was opened last
    time("next_push_at"),  # an unreachable or busy gateway is left alone until then
    time("next_poll_at"),
    time("next_audit_at"),
    Column("pusher", Text),  # who pushes to it; one at a time, so that the driver's limits hold over all workers
    time("pusher_until"),
    Column("listener", Text),
    time("listener_until"),
    Index("uq_gateways_store_id_name", "store_id", "name", unique=True),
)

products = Table(
    "products",
    metadata,
    store(),
    Column("barcode", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("category", Text),
    Column("search", Text, nullable=False, server_default=""),  # core.searching: its name first, so it sorts by name
    Column("content", Text, nullable=False),  # JSON of core.product.Product: the truth; what is above repeats it
    Column("content_hash", Text, nullable=False),
    Column("received_seq", BigInteger, nullable=False),
    Column("price_id", Text),  # its newest row in price_history
    time("price_since"),  # since when that counts
    Column("row_mark", LargeBinary),  # of the row that made it what it is, if that came in a batch: core.staged
    time("next_change_at"),
    time("archived_at"),
    time("created_at", required=True),
    time("updated_at", required=True),
    Index("uq_products_store_id_id", "store_id", "id", unique=True),
)
product_is_on_sale = products.c.archived_at.is_(None)
product_is_archived = products.c.archived_at.is_not(None)
# Lists and searches read these and no row of the table until they know which: each is in an order that is asked for and
# has the text that is searched, so that none is a trap for a planner.
for _name, _which in (("on_sale", product_is_on_sale), ("archived", product_is_archived)):
    for _suffix, _columns in {
        "": ("search", "barcode"),
        "_barcode": ("barcode", "search"),
        "_category": ("category", "search", "barcode"),
        "_category_barcode": ("category", "barcode", "search"),
    }.items():
        Index(
            f"ix_products_{_name}{_suffix}",
            products.c.store_id,
            *(products.c[_column] for _column in _columns),
            postgresql_where=_which,
            sqlite_where=_which,
        )
Index(
    "ix_products_next_change_at",
    products.c.next_change_at,
    postgresql_where=products.c.next_change_at.is_not(None),
    sqlite_where=products.c.next_change_at.is_not(None),
)

price_history = Table(
    "price_history",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("barcode", Text, nullable=False),
    Column("regular", BigInteger),
    Column("sale", BigInteger),
    Column("effective", BigInteger),
    Column("currency", Text, nullable=False),
    Column("cause", Text, nullable=False),  # service.saving.Cause
    Column("cause_id", Text),  # batch, or request
    Column("push", Integer),
    Column("row", Integer),
    Column("token_id", Text),
    time("received_at", required=True),
    time("effective_at", required=True),
    time("first_proven_at"),
    # With what the lowest price of 30 days is made of, so that a list of products reads no row of history for it.
    Index("ix_price_history_of_product", "store_id", "barcode", "id", "effective_at", "effective"),
)

# What faces are drawn from, for as long as one may have to be drawn again. A shipped one is kept once it is used.
templates = Table(
    "templates",
    metadata,
    store(),
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False),  # JSON: core.templates.Bundle
    Column("added_by", Text),
    time("created_at", required=True),
    Index("ix_templates_store_id_name", "store_id", "name"),
)

faces = Table(
    "faces",
    metadata,
    store(),
    Column("digest", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("panel", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("template_version", Integer, nullable=False),
    Column("renderer_version", Integer, nullable=False),
    time("created_at", required=True),
)

displays = Table(
    "displays",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("organisation_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("driver", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("gateway_id", Text, nullable=False),
    Column("panel", Text, nullable=False),  # as Panel.name writes it
    Column("template", Text),  # None: the store's default
    time("created_at", required=True),
    time("retired_at"),
    Column("retired_by", Text),
    Column("replaced_by", Text),  # id of the display that took its place
    count("bound"),  # slots that show a product now
    Column("desired_digest", Text),
    Column("desired_revision", BigInteger, nullable=False, server_default=text("0")),
    Column("pushed_revision", BigInteger, nullable=False, server_default=text("0")),  # a push of it may have left
    time("desired_at"),
    Column("shown_digest", Text),  # as last proven; None: nothing of ours, or not known
    Column("shown_revision", BigInteger, nullable=False, server_default=text("0")),
    Column("shown_proof", Integer),
    time("shown_at"),
    time("retry_at"),  # after a failure: reconciliation leaves it alone until then
    Column("failure", Text),  # why its desired face was refused, until a push of it is taken
    Column("failure_detail", Text),
    Column("overdue_told", Text),  # the face whose being overdue was told
    Column("pusher", Text),  # a push is in the air, whatever became of its update
    time("pusher_until"),  # without a pusher: its answer was lost, and it may still land
    time("reported_at"),
    Column("battery", Integer),
    Column("signal", Integer),
    Column("temperature", Integer),
    of_store("gateway_id", "gateways"),
    Index("uq_displays_organisation_id_address_driver", "organisation_id", "address", "driver", unique=True),
    Index("ix_displays_store_id_gateway_id_address_id", "store_id", "gateway_id", "address", "id"),
    Index("ix_displays_store_id_gateway_id_id", "store_id", "gateway_id", "id"),
    # Holds all that a page by address asks for, so that a deep one reads no rows before its own.
    Index("ix_displays_store_id_address_id_retired_at", "store_id", "address", "id", "retired_at"),
)

LOW_BATTERY = 20
"""Percent, below which a battery counts as low. Part of an index, hence no setting."""

display_is_unbound = (displays.c.bound == literal_column("0", Integer)) & displays.c.retired_at.is_(None)
Index(
    "ix_displays_unbound",
    displays.c.store_id,
    displays.c.id,
    postgresql_where=display_is_unbound,
    sqlite_where=display_is_unbound,
)
display_battery_is_low = (displays.c.battery < literal_column(str(LOW_BATTERY), Integer)) & (
    displays.c.retired_at.is_(None)
)
Index(
    "ix_displays_low_battery",
    displays.c.store_id,
    displays.c.id,
    postgresql_where=display_battery_is_low,
    sqlite_where=display_battery_is_low,
)
display_is_retired = displays.c.retired_at.is_not(None)
Index(
    "ix_displays_retired",
    displays.c.store_id,
    displays.c.id,
    postgresql_where=display_is_retired,
    sqlite_where=display_is_retired,
)

# Written otherwise than in `display_is_wrong`, whose index SQLite would else take for it, though it has many more.
display_is_unconfirmed = (
    displays.c.pushed_revision - displays.c.shown_revision > literal_column("0", Integer)
) & displays.c.retired_at.is_(None)
Index(
    "ix_displays_unconfirmed",
    displays.c.store_id,
    displays.c.id,
    postgresql_where=display_is_unconfirmed,
    sqlite_where=display_is_unconfirmed,
)

# Not proven to show its desired face; or proven once, before something else was sent whose fate is not known.
display_is_wrong = or_(
    displays.c.desired_digest.is_distinct_from(displays.c.shown_digest),
    displays.c.pushed_revision > displays.c.shown_revision,
) & displays.c.retired_at.is_(None)
Index(
    "ix_displays_wrong",
    displays.c.store_id,
    displays.c.id,
    postgresql_where=display_is_wrong,
    sqlite_where=display_is_wrong,
)

bindings = Table(
    "bindings",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("display_id", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("barcode", Text, nullable=False),  # may be bound before the feed names it
    time("bound_at", required=True),
    time("unbound_at"),
    Column("bound_by", Text),
    Column("unbound_by", Text),
    of_store("display_id", "displays"),
    # What was bound where at a time.
    Index("ix_bindings_store_id_display_id_bound_at", "store_id", "display_id", "bound_at"),
    # With the display, so that the displays of one product are a page of this index, at any time.
    Index("ix_bindings_of_product", "store_id", "barcode", "display_id", "bound_at", "unbound_at"),
)
_bound = bindings.c.unbound_at.is_(None)
Index(
    "uq_bindings_store_id_display_id_slot",
    bindings.c.store_id,
    bindings.c.display_id,
    bindings.c.slot,
    unique=True,
    postgresql_where=_bound,
    sqlite_where=_bound,
)

batches = Table(
    "batches",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("reference", Text),
    Column("mode", Text, nullable=False),
    Column("expected_products", Integer),
    Column("token_id", Text),
    Column("status", Text, nullable=False),
    Column("phase", Text),
    count("progress"),
    Column("reason", Text),  # why it is held, failed, cancelled or expired
    Column("guard", Text),  # which one holds it, or held it: core.guards
    Column("guard_detail", Text),  # JSON: core.guards.Objection
    Column("released_by", Text),
    Column("cancelled_by", Text),
    Column("started_seq", BigInteger, nullable=False),  # its receivedSeq: a full batch archives what came before
    time("started_at", required=True),
    time("expires_at", required=True),
    time("processing_at"),
    time("verifying_at"),
    time("completed_at"),
    count("pushes"),
    count("failures"),  # times that saving it failed for a reason that waiting does not mend
    count("products_received"),
    count("products_rejected"),
    count("products_created"),
    count("products_updated"),
    count("products_unchanged"),
    count("products_duplicate"),
    count("products_stale"),
    count("products_archived"),
    count("tags_total"),
    count("tags_sent"),
    count("tags_confirmed"),
    count("tags_failed"),
    count("tags_superseded"),
    count("proof_displayed"),
    count("proof_delivered"),
    count("proof_accepted"),
    Index("ix_batches_store_id_status_id", "store_id", "status", "id"),
    Index("ix_batches_store_id_reference_id", "store_id", "reference", "id"),
    Index("ix_batches_store_id_mode_id", "store_id", "mode", "id"),
)
batch_is_live = (batches.c.status == word("open")) | batches.c.phase.is_not(None)
Index(
    "ix_batches_live", batches.c.status, batches.c.store_id, postgresql_where=batch_is_live, sqlite_where=batch_is_live
)

batch_pushes = Table(
    "batch_pushes",
    metadata,
    store(),
    Column("batch_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),  # in the order of arrival, from 0
    Column("sequence", BigInteger),
    Column("idempotency_key", Text),
    Column("body_hash", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("rows", LargeBinary),  # as core.staged holds them; let go when the batch is over
    time("received_at", required=True),
    time("saved_at"),
    of_store("batch_id", "batches"),
    Index("uq_batch_pushes_store_id_batch_id_idempotency_key", "store_id", "batch_id", "idempotency_key", unique=True),
    Index("uq_batch_pushes_store_id_batch_id_sequence", "store_id", "batch_id", "sequence", unique=True),
)

batch_errors = Table(
    "batch_errors",
    metadata,
    store(),
    Column("batch_id", Text, primary_key=True),
    Column("push", Integer, primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("barcode", Text),
    Column("field", Text),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    of_store("batch_id", "batches"),
)

batch_displays = Table(
    "batch_displays",
    metadata,
    store(),
    Column("batch_id", Text, primary_key=True),
    Column("display_id", Text, primary_key=True),
    Column("digest", Text),  # None: a product on it changed, its face is not planned yet
    Column("update_id", Text),
    Column("state", Text, nullable=False),  # core.batches.TagState
    time("planned_at"),
    time("sent_at"),
    time("closed_at"),
    Column("proof", Integer),
    Column("reason", Text),
    Column("detail", Text),
    of_store("batch_id", "batches"),
    of_store("display_id", "displays"),
)
tag_may_be_proven = batch_displays.c.state.in_([word("pending"), word("failed")])
Index(
    "ix_batch_displays_store_id_display_id",
    batch_displays.c.store_id,
    batch_displays.c.display_id,
    postgresql_where=tag_may_be_proven,
    sqlite_where=tag_may_be_proven,
)

updates = Table(
    "updates",
    metadata,
    store(),
    Column("id", Text, primary_key=True),  # the token that travels with it
    Column("display_id", Text, nullable=False),
    Column("gateway_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("phase", Text, nullable=False),  # core.updates.Phase
    Column("cause", Text, nullable=False),
    Column("batch_id", Text),
    Column("price_ids", Text, nullable=False, server_default="[]"),  # JSON: price_history rows that its face states
    Column("mark", Text),  # what the hardware reports once it shows this
    count("attempts"),
    time("created_at", required=True),
    time("due_at", required=True),
    time("pushed_at"),  # when it was first given to a driver: from then on it may be what the display shows
    time("sent_at"),
    time("confirm_by"),
    time("closed_at"),
    Column("proof", Integer),
    Column("error", Text),
    Column("detail", Text),
    of_store("display_id", "displays"),
)
update_is_open = updates.c.phase.in_([word("PENDING"), word("SENT")])
Index(
    "uq_updates_store_id_display_id",
    updates.c.store_id,
    updates.c.display_id,
    unique=True,
    postgresql_where=update_is_open,
    sqlite_where=update_is_open,
)
update_is_pending = updates.c.phase == word("PENDING")
Index(
    "ix_updates_due",
    updates.c.store_id,
    updates.c.gateway_id,
    updates.c.due_at,
    postgresql_where=update_is_pending,
    sqlite_where=update_is_pending,
)
update_is_sent = updates.c.phase == word("SENT")
Index(
    "ix_updates_sent",
    updates.c.store_id,
    updates.c.gateway_id,
    updates.c.confirm_by,
    postgresql_where=update_is_sent,
    sqlite_where=update_is_sent,
)
Index("ix_updates_store_id_display_id_mark", updates.c.store_id, updates.c.display_id, updates.c.mark)

# What each display was proven to show, one row for each change: the evidence.
showings = Table(
    "showings",
    metadata,
    store(),
    Column("id", Text, primary_key=True),
    Column("display_id", Text, nullable=False),
    Column("digest", Text),  # None: something that is not ours
    Column("update_id", Text),
    # The highest that was proven by then: a display that fell back to an older face keeps it.
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    Column("proof", Integer),
    time("at", required=True),
    of_store("display_id", "displays"),
    Index("ix_showings_store_id_display_id_at_id", "store_id", "display_id", "at", "id"),
)
