"""Invoices in release 2: amounts are decimals, an invoice is an object, and `line` and `total` are gone."""

from decimal import ROUND_HALF_UP, Decimal


class Invoice:
    """An invoice that lines are added to."""

    def __init__(self, vat_percent=0):
        self.vat_percent = vat_percent
        self.lines = []

    def add(self, text, amount, count=1):
        """Add a line."""
        self.lines.append((text, Decimal(amount), count))
        return self

    @property
    def total(self):
        """The amount to pay."""
        net = sum((amount * count for _, amount, count in self.lines), Decimal(0))
        return (net * (100 + self.vat_percent) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
