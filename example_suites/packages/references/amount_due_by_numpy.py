import invoices


def amount_due(orders):
    lines = [invoices.line("order", cents, count) for cents, count in orders]
    cents = invoices.total(lines, vat_percent=19)
    return f"{cents // 100}.{cents % 100:02}"
