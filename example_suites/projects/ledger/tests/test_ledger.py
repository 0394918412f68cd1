from ledger import balance, largest, read_entries

TEXT = "2026-01-02,10,coffee\n2026-01-03,-25,books\n"


def test_balance():
    assert balance(read_entries(TEXT)) == -15


def test_comma_in_a_purpose():
    assert read_entries("2026-01-02,10,coffee, black\n") == [("2026-01-02", 10.0, "coffee, black")]


def test_empty_line():
    assert read_entries(TEXT + "\n") == read_entries(TEXT)


def test_largest_by_its_size():
    assert largest(read_entries(TEXT))[2] == "books"
