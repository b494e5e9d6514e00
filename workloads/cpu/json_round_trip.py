# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "JSON: a document decoded and encoded again, by the C code of the json module"
# source = "RFC 8259"
# shows = "C code that makes and reads Python objects, and so holds the GIL where there is one"
# ///
"""Decodes a JSON document of 9,400 characters and encodes it again: one round trip per unit.

JSON is RFC 8259; the document is synthetic, modelled on the orders of web shops. Each worker
has the text for itself. The check knows the text without the json module: it writes the document by
the rules of the format.
"""

import json
import zlib

ORDERS = 25
ITEMS = 5


def document():
    """Orders of a web shop: objects, lists, texts, numbers, null, true and false."""
    return [
        {
            "id": order,
            "customer": f"Customer no. {order}, Stra\u00dfe {order}",
            "paid": order % 2 == 0,
            "total": order * 1.25,
            "items": [
                {"article": f"A-{item:03}", "quantity": order + item, "gift": False}
                for item in range(ITEMS)
            ],
            "note": None,
        }
        for order in range(ORDERS)
    ]


def round_trip(text):
    """Decode a text and encode what it means."""
    return json.dumps(json.loads(text))


def checksum(text):
    """CRC-32 of a text, which is ASCII."""
    return zlib.crc32(text.encode("ascii"))


def work(data, units):
    """Make the round trip once per unit; returns the checksum of each text that comes out."""
    text = json.dumps(document())
    return [checksum(round_trip(text)) for _ in range(units)]


def written(value):
    """A value as JSON, spaced like the json module's."""
    if isinstance(value, dict):
        return "{" + ", ".join([f"{written(k)}: {written(v)}" for k, v in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([written(each) for each in value]) + "]"
    if isinstance(value, str):
        return '"' + "".join([c if c.isascii() else f"\\u{ord(c):04x}" for c in value]) + '"'
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def check(results, units):
    """Every text that came out is the document's."""
    expected = checksum(written(document()))
    checksums = [each for share in results for each in share]
    assert len(checksums) == units, f"{len(checksums)} round trips, not {units}"
    for each in checksums:
        assert each == expected, f"a text with CRC-32 {each:#010x}, not {expected:#010x}"
