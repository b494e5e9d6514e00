# /// script
# requires-python = ">=3.9"
# # One series for all builds: pydantic 2.14 has no wheels for free-threaded 3.13.
# dependencies = ["pydantic==2.12.*"]
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Pydantic models made of plain dictionaries: an extension in Rust that keeps the GIL"
# source = "Validating what a web service is sent: https://docs.pydantic.dev/latest/"
# shows = "Whether one validator, which all threads share, lets them work at the same time"
# models = ["serial", "threads", "processes"]
# ///
"""Validates orders with nested lines: 50 per unit, of three lines each.

As a web service does, it makes model instances of dictionaries, turning strings into numbers where
the model says so. Every class has one validator, compiled when the class is made, and all threads
go through it.
"""

from typing import Optional

from pydantic import BaseModel, Field

ORDERS = 50
LINES = 3


class Line(BaseModel):
    """One line of an order."""

    item: str = Field(min_length=1)
    quantity: int = Field(gt=0)
    price: float


class Order(BaseModel):
    """An order with its lines."""

    number: int
    customer: str
    note: Optional[str] = None
    lines: list[Line]


def plain_order(number):
    """What a client sends; quantities and prices come as strings."""
    lines = [
        {"item": f"item {line}", "quantity": str(line + 1), "price": f"{number}.5"}
        for line in range(LINES)
    ]
    return {"number": str(number), "customer": "somebody", "lines": lines}


def work(data, units):
    """Validate unit by unit; returns the value of all orders of each."""
    orders = [plain_order(number) for number in range(ORDERS)]
    values = []
    for _ in range(units):
        value = 0.0
        for plain in orders:
            order = Order.model_validate(plain)
            for line in order.lines:
                value += line.quantity * line.price
        values.append(value)
    return values


# Three lines with quantities 1, 2 and 3 at a price of n + 1/2 each, for n from 0 to 49.
EXPECTED = (1 + 2 + 3) * (ORDERS * (ORDERS - 1) / 2 + ORDERS / 2)


def check(results, units):
    """Every unit's orders have the value that is known."""
    values = [value for share in results for value in share]
    assert len(values) == units, f"{len(values)} units were done, not {units}"
    for value in values:
        assert value == EXPECTED, f"orders worth {value!r}, not {EXPECTED}"
