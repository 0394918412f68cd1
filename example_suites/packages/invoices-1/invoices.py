"""Invoices in release 1: amounts are whole cents, and functions take lists of lines."""


def line(text, cents, count=1):
    """A line of an invoice."""
    return {"text": text, "cents": cents, "count": count}


def total(lines, vat_percent=0):
    """The amount to pay, in cents; halves are rounded up."""
    net = sum(each["cents"] * each["count"] for each in lines)
    return (net * (100 + vat_percent) + 50) // 100
