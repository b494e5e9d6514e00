# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Decimal arithmetic: invoices with discount and tax, rounded to cents"
# source = "Cowlishaw, General Decimal Arithmetic (telco benchmark)"
# shows = "Every Decimal counts a reference to its C type: all threads write to that one count"
# ///
"""Adds up invoices in decimal arithmetic: 200 items per unit.

The decimal module follows M. Cowlishaw's General Decimal Arithmetic Specification, whose benchmark
"telco" computes telephone bills in the same manner: multiply, round, add. The check does all in
whole cents.

The workers share no number, yet they meet: each new Decimal counts a reference to its type. 3.13
without the GIL makes classes written in Python immortal once a thread starts, so they are counted
no more, but not this one, which C makes (sys.getrefcount shows it). Looking up the context, which
every operation does too, is no hindrance.
"""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

ITEMS = 200


def item(number):
    """Synthetic price in cents and quantity of an item."""
    return 99 + number * 1237 % 5000, 1 + number % 7


def invoice(items, cent, discount, tax):
    """The net amount and the tax of all items; each is rounded to cents by itself."""
    net = tax_sum = Decimal(0)
    for price, quantity in items:
        amount = (price * quantity * discount).quantize(cent, ROUND_HALF_EVEN)
        net += amount
        tax_sum += (amount * tax).quantize(cent, ROUND_DOWN)
    return net, tax_sum


def work(data, units):
    """Make the invoice out once per unit; returns net amount and tax of each, as text."""
    items = [(Decimal(price) / 100, quantity) for price, quantity in map(item, range(ITEMS))]
    cent, discount, tax = Decimal("0.01"), Decimal("0.975"), Decimal("0.19")
    invoices = []
    for _ in range(units):
        net, tax_sum = invoice(items, cent, discount, tax)
        invoices.append((str(net), str(tax_sum)))
    return invoices


def expected_invoice():
    """The same amounts, computed in whole thousandths and hundredths of a cent."""
    net_cents = tax_cents = 0
    for price_cents, quantity in map(item, range(ITEMS)):
        cents, thousandths = divmod(price_cents * quantity * 975, 1000)
        rounds_up = thousandths > 500 or (thousandths == 500 and cents % 2 == 1)
        net_cents += cents + rounds_up
        tax_cents += (cents + rounds_up) * 19 // 100
    return tuple(f"{cents // 100}.{cents % 100:02}" for cents in (net_cents, tax_cents))


def check(results, units):
    """Every invoice is right to the cent."""
    expected = expected_invoice()
    invoices = [each for share in results for each in share]
    assert len(invoices) == units, f"{len(invoices)} invoices, not {units}"
    for each in invoices:
        assert each == expected, f"net amount and tax {each}, not {expected}"
