from service.core.onboarding import (
    HURRIED_READS,
    LEAST_POLLS,
    Batches,
    Count,
    Item,
    Milestone,
    checklist,
    missing,
)

NONE = Batches(0, None)


def count(times: int, last_at: int = 5) -> Count:
    return Count(times, 1, last_at)


def item(key: str, batches: Batches = NONE, **counts: Count) -> Item:
    kinds = {
        Milestone[name.upper()] if name.upper() in Milestone.__members__ else name: n for name, n in counts.items()
    }
    return next(item for item in checklist(kinds, batches) if item.key == key)


def polled(**batches: tuple[int, int, int]) -> Item:
    """Batch -> (reads, of these hurried, when last)."""
    counts: dict[str, Count] = {}
    for batch, (reads, hurried, last_at) in batches.items():
        counts[Milestone.POLLED + batch] = count(reads, last_at)
        if hurried:
            counts[Milestone.HURRIED + batch] = count(hurried, last_at)
    return next(item for item in checklist(counts, NONE) if item.key == "statusPolled")


def test_who_did_nothing_is_told_how_to_do_everything():
    items = checklist({}, NONE)
    assert [item.done for item in items] == [False] * 5
    assert list(missing(items)) == [
        "productsAdded", "productsUpdated", "batchCompleted", "statusPolled", "rejectedRowsHandled",
    ]  # fmt: skip
    assert all(item.how and item.seen is None for item in items)


def test_products_added_and_updated_are_seen():
    assert item("productsAdded", added=count(3)).done
    assert item("productsUpdated", updated=count(1, 9)).last_at == 9
    assert not item("productsUpdated", added=count(3)).done


def test_a_batch_of_several_pushes_is_seen():
    assert item("batchCompleted", Batches(1, 4)).done
    assert not item("batchCompleted", NONE).done


def test_polling_needs_some_reads_that_are_not_too_fast():
    assert not polled(a=(LEAST_POLLS - 1, 0, 1)).done
    assert polled(a=(LEAST_POLLS, 0, 1)).done
    assert polled(a=(2, 0, 1), b=(1, 0, 2)).done


def test_a_hurried_read_or_two_are_forgiven_and_not_a_habit():
    assert polled(a=(10, HURRIED_READS, 1)).done
    hasty = polled(a=(10, HURRIED_READS + 1, 1))
    assert not hasty.done
    assert "less than 2 seconds" in str(hasty.seen)


def test_who_was_too_fast_becomes_right_again_by_a_batch_polled_well():
    fast = (100, 99, 1)
    assert not polled(a=(5, 0, 1), b=(100, 99, 2)).done
    assert polled(a=fast, b=(LEAST_POLLS, 0, 2)).done
    assert not polled(a=fast, b=(LEAST_POLLS - 1, 0, 2)).done
    assert not polled(b=(5, 0, 1), a=(100, 99, 2)).done


def test_following_the_events_is_as_good_as_polling():
    assert item("statusPolled", followed=count(1)).done


def test_rejected_rows_have_to_be_there_and_to_be_looked_at():
    assert not item("rejectedRowsHandled", rejected=count(2)).done
    assert not item("rejectedRowsHandled", errors_read=count(2)).done
    assert item("rejectedRowsHandled", rejected=count(2), errors_read=count(1)).done
    assert item("rejectedRowsHandled", rejected=count(2), mended=count(1)).done
