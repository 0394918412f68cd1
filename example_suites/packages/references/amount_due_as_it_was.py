from decimal import Decimal

from invoices import Invoice


def amount_due(orders):
    invoice = Invoice(vat_percent=19)
    for cents, count in orders:
        invoice.add("order", Decimal(cents) / 100, count)
    return str(invoice.total)
