import re


def is_valid_email(text):
    return re.fullmatch(r"[\w.+-]+@\w+(\.\w+)+", text) is not None
