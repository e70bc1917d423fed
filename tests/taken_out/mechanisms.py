"""What keeps each promise: the line that does it, what it becomes when taken out, and the tests that must fail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mechanism:
    """Attributes:
    promise: Its number and words.
    file: In which the line is.
    line: Text that is there exactly once.
    without: What takes its place.
    tests: Arguments to pytest; at least one of these tests has to fail.
    """

    promise: str
    file: str
    line: str
    without: str
    tests: str


LOST = "1 nothing acknowledged is lost"
BACK = "2 never back"
CERTAIN = "3 never more certain than the hardware"
NEEDLESS = "4 no needless refresh"
IN_FLIGHT = "5 one push in flight"
OTHERS = "6 one store never sees another"
EXPLAINED = "7 the answer is explained"
DEAD = "8 a dead gateway delays its own"

MECHANISMS = (
    Mechanism(
        LOST,
        "service/store/database.py",
        "return await asyncio.shield(self.begin(work, *args, **named))",
        "return await self.begin(work, *args, **named)",
        "tests/service/store/test_database.py",
    ),
    Mechanism(
        LOST,
        "service/sync.py",
        "await ctx.bell.ring_saver(store_id)",
        "pass",
        "tests/end_to_end/test_kills.py -k forgets_everything",
    ),
    Mechanism(
        LOST,
        "service/sync.py",
        "redrawing.go_on, _repeat_overdue, _drive_stranded",
        "redrawing.go_on, _drive_stranded",
        "tests/service/test_reconcile.py tests/service/test_proof.py",
    ),
    Mechanism(
        LOST,
        "service/sync.py",
        "    _heed_clock, _expire_sessions,",
        "    _expire_sessions,",
        "tests/service/test_turned_back.py",
    ),
    Mechanism(
        LOST,
        "service/feed.py",
        'if before["body_hash"] != row["body_hash"]:',
        "if True:",
        "tests/contract/test_model.py tests/end_to_end/test_kills.py -k 'contract or repeated'",
    ),
    Mechanism(
        LOST,
        "service/sync.py",
        "await ctx.bell.ring_gateways(to_push)",
        "pass",
        "tests/end_to_end/test_kills.py -k valkey_was_away",
    ),
    Mechanism(
        LOST,
        "service/store/products.py",
        '    "row_mark",\n',
        "",
        "tests/service/test_known_rows.py",
    ),
    Mechanism(
        BACK,
        "service/saving.py",
        'if before is not None and before["received_seq"] > seq:',
        "if False:",
        "tests/service/test_order.py",
    ),
    Mechanism(
        BACK,
        "service/sending.py",
        '"pusher_until": None if mine and not _is_fate_unknown(error) else display["pusher_until"],',
        '"pusher_until": None if mine else display["pusher_until"],',
        "tests/service/test_sending.py",
    ),
    Mechanism(
        BACK,
        "service/planning.py",
        'return int(display["pushed_revision"]) <= int(display["shown_revision"])',
        "return True",
        "tests/service/test_sending.py",
    ),
    Mechanism(
        BACK,
        "service/sending.py",
        'if found[one.id]["phase"] == Phase.PENDING',
        "if True",
        "tests/service/test_sending.py",
    ),
    Mechanism(
        CERTAIN,
        "service/proof.py",
        "if r.proof is not None and r.proof >= heard.level}",
        "if r.proof is not None}",
        "tests/service/test_proof.py",
    ),
    Mechanism(
        CERTAIN,
        "service/proof.py",
        'if update is not None and update["revision"] > locked[id_]["shown_revision"]:',
        "if update is not None:",
        "tests/service/test_proof.py tests/service/test_sending.py",
    ),
    Mechanism(
        CERTAIN,
        "service/proof.py",
        'found = [tag for tag in open_ones if tag["digest"] == proofs[tag["display_id"]].update["digest"]]',
        "found = list(open_ones)",
        "tests/service/test_proof.py",
    ),
    Mechanism(
        CERTAIN,
        "service/sync.py",
        "line.driver.info.proof, reports, asked_at, now)",
        "line.driver.info.proof, reports, now, now)",
        "tests/service/test_proof.py",
    ),
    Mechanism(
        NEEDLESS,
        "service/planning.py",
        'changed = [display for display in locked if looks[display["id"]].digest != display["desired_digest"]]',
        "changed = list(locked)",
        "tests/service/test_faces_planned.py",
    ),
    Mechanism(
        NEEDLESS,
        "service/core/faces.py",
        "return tuple(fields & _OPTIONAL), ",
        "return tuple(_OPTIONAL), ",
        "tests/service/core/test_templates.py -k redraws_nothing",
    ),
    Mechanism(
        NEEDLESS,
        "service/planning.py",
        "return wish.again or not _surely_shows(wish.display, wish.digest)",
        "return True",
        "tests/service/test_faces_planned.py",
    ),
    Mechanism(
        IN_FLIGHT,
        "service/sending.py",
        'if not await gateways.lease(connection, at.store_id, at.gateway_id, "pusher", at.worker, ended, until):',
        'if await gateways.lease(connection, at.store_id, at.gateway_id, "pusher", at.worker, ended, until) is None:',
        "tests/service/test_sending.py tests/end_to_end/test_promises.py",
    ),
    Mechanism(
        IN_FLIGHT,
        "service/sending.py",
        "ended = now - leap",
        "ended = now",
        "tests/service/test_leaps.py",
    ),
    Mechanism(
        IN_FLIGHT,
        "service/pushing.py",
        "turn = asyncio.Semaphore(info.max_in_flight)",
        "turn = asyncio.Semaphore(64)",
        "tests/service/test_sending.py tests/end_to_end/test_promises.py",
    ),
    Mechanism(
        OTHERS,
        "service/store/batches.py",
        '_ONE = select(batches).where(batches.c.store_id == bindparam("of_store"), batches.c.id == bindparam("batch"))',
        '_ONE = select(batches).where(batches.c.id == bindparam("batch"))',
        "tests/service/api/test_auth.py tests/contract/test_model.py",
    ),
    Mechanism(
        OTHERS,
        "service/store/products.py",
        "select(*columns).where(products.c.store_id == store_id, is_among(connection, products.c.barcode, some))",
        "select(*columns).where(is_among(connection, products.c.barcode, some))",
        "tests/contract/test_model.py tests/service/api",
    ),
    Mechanism(
        EXPLAINED,
        "service/feed.py",
        'errors = batches.error_rows(store_id, batch["id"], number, answer.errors)',
        "errors = []",
        "tests/service/api/test_batches.py",
    ),
    Mechanism(
        EXPLAINED,
        "service/sending.py",
        '"reason": step.error if failed else tag["reason"],',
        '"reason": None,',
        "tests/service/test_reconcile.py",
    ),
    Mechanism(
        DEAD,
        "service/progress.py",
        "waiting=syncing and await tags.any_waiting(connection, *key, since),",
        "waiting=syncing and await tags.any_waiting(connection, *key, 0),",
        "tests/service/test_dead_gateway.py",
    ),
    Mechanism(
        DEAD,
        "service/sending.py",
        '"unreachable_since": since or now, "error": away, "next_push_at": following}',
        '"unreachable_since": since or now, "error": away, "next_push_at": None}',
        "tests/service/test_dead_gateway.py",
    ),
    Mechanism(
        LOST,
        "service/redrawing.py",
        "some[-1] if len(some) == _SOME else None",
        "None",
        "tests/service/test_designing.py -k killed",
    ),
    Mechanism(
        OTHERS,
        "service/store/templates.py",
        "among = [templates.c.store_id == store_id]",
        "among = [templates.c.store_id > 0]",
        "tests/service/test_designing.py -k anothers",
    ),
    Mechanism(
        EXPLAINED,
        "service/pushing.py",
        'f"The template cannot be used: {error}"',
        '"The face cannot be drawn."',
        "tests/service/test_designing.py",
    ),
    Mechanism(
        CERTAIN,
        "display_drivers/openepaperlink/client.py",
        "if content and record.hash[:16] in {payload.digest16(content), _FLASH[:16]}:",
        "if content:",
        "tests/display_drivers/openepaperlink/test_driver.py tests/display_drivers/openepaperlink/test_chaos.py",
    ),
    Mechanism(
        CERTAIN,
        "display_drivers/openepaperlink/client.py",
        """        await self._point.command(mac, "refresh")
        self._cleared[mac]""",
        "        self._cleared[mac]",
        "tests/display_drivers/openepaperlink/test_driver.py -k still_announced",
    ),
    Mechanism(
        BACK,
        "display_drivers/openepaperlink/client.py",
        """        if record.pending:
            await self._take_back(record.mac)""",
        """        if record.pending > 99:
            await self._take_back(record.mac)""",
        "tests/display_drivers/openepaperlink/test_driver.py",
    ),
    Mechanism(
        LOST,
        "service/core/webhooks.py",
        "return Verdict(State.PENDING, due_at=min(now + pause, until), detail=detail)",
        "return Verdict(State.FAILED, detail=detail)",
        "tests/service/test_delivering.py",
    ),
    Mechanism(
        LOST,
        "service/webhooks/delivering.py",
        "if one.id in mine",
        "if True",
        "tests/service/test_delivering.py",
    ),
    Mechanism(
        LOST,
        "service/importing/file_pushing.py",
        "sequence=self._sequence,",
        "sequence=None,",
        "tests/service/test_imports.py tests/end_to_end/test_imports.py",
    ),
    Mechanism(
        CERTAIN,
        "service/core/evidence.py",
        "if any(one.digest != last.digest for one in newer):",
        "if False:",
        "tests/service/core/test_evidence.py tests/service/test_evidence.py",
    ),
    Mechanism(
        CERTAIN,
        "service/core/evidence.py",
        "if doubt is not None:",
        "if False:",
        "tests/service/core/test_evidence.py tests/service/test_evidence.py",
    ),
    Mechanism(
        CERTAIN,
        "service/core/evidence.py",
        "if following is not None and following.revision <= last.revision:",
        "if False:",
        "tests/service/core/test_evidence.py tests/service/test_evidence.py",
    ),
    Mechanism(
        OTHERS,
        "service/tenants/callers.py",
        "if named in {token.store.slug, token.store.ulid}:",
        "if named:",
        "tests/service/api/test_matrix.py tests/service/test_tokens.py",
    ),
    Mechanism(
        OTHERS,
        "service/store/tenants.py",
        "_stores.where(stores.c.organisation_id == organisation_id, named)",
        "_stores.where(named)",
        "tests/service/api/test_matrix.py tests/service/test_tokens.py",
    ),
    Mechanism(
        OTHERS,
        "service/webhooks/posting.py",
        "for address in (await self.addresses())[:_MOST_ADDRESSES]:",
        "for address in [host]:",
        "tests/service/test_posting.py",
    ),
)
