import pytest

from service.core.lowest import DAYS, Priced, lowest

DAY = 24 * 60 * 60 * 1000
NOW = 100 * DAY


def history(*prices: tuple[int | None, int]) -> list[Priced]:
    """(Price, days ago), oldest first."""
    return [(price, NOW - ago * DAY) for price, ago in reversed(prices)]


@pytest.mark.parametrize(
    ("prices", "sale", "found"),
    [
        ([], None, None),
        ([(5, 3)], None, 5),
        ([(5, 90)], None, 5),
        ([(2, 90), (5, 31)], None, 5),  # 2 counted until 31 days ago
        ([(2, 90), (5, 29)], None, 2),  # and here until 29 days ago
        ([(2, 90), (5, DAYS)], None, 5),
        ([(4, 20), (3, 10), (5, 5)], None, 3),
        ([(4, 20), (None, 10), (5, 5)], None, 4),
        ([(4, 20), (3, 10), (2, 5)], 2, 3),  # a sale is compared with what was before it
        ([(4, 90), (2, 40)], 2, 4),  # however long it lasts
        ([(3, 90), (4, 35), (2, 6)], 2, 3),  # 35 days ago is within 30 days before the sale
        ([(2, 6)], 2, None),  # was never sold otherwise
        ([(4, 20), (2, 6), (2, 3)], 2, 4),  # the same sale, said twice
        ([(4, 20)], 2, 4),  # the clock has just started it, and history does not have it yet
    ],
)
def test_the_lowest_price_of_thirty_days(prices, sale, found):
    assert lowest(history(*prices), NOW, sale) == found
