import re


def redact(text):
    return re.sub(r"(?<!\d)(?:\(\d{3}\) |\d{3}-)\d{3}-\d{4}(?!\d)", "[phone]", text)
