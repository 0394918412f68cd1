def count_queens(n):
    def place(row, columns, falling, rising):
        if row == n:
            return 1
        return sum(
            place(row + 1, columns | {column}, falling | {row - column}, rising | {row + column})
            for column in range(n)
            if column not in columns and row - column not in falling and row + column not in rising
        )

    return place(0, frozenset(), frozenset(), frozenset())
