"""Stock that is counted up and down, exactly."""

from decimal import Context, Decimal

from service.core.quantities import MAX_DECIMALS, MAX_WHOLE_DIGITS, parse_quantity

_EXACT = Context(prec=MAX_WHOLE_DIGITS + MAX_DECIMALS + 2)


def added(stock: str, difference: str) -> str:
    """The sum of two quantities as `core.quantities` keeps them; raises RefusedError where it is too large for one."""
    return parse_quantity(format(_EXACT.add(Decimal(stock), Decimal(difference)), "f"))
