"""Entries of an account, as lines of a file: a date, an amount and its purpose."""


def read_entries(text):
    entries = []
    for line in text.splitlines():
        date, amount, purpose = line.split(",")
        entries.append((date, float(amount), purpose))
    return entries


def balance(entries):
    return sum(amount for _, amount, _ in entries)


def largest(entries):
    return max(entries, key=lambda entry: entry[1])
