def rotate(items, k):
    if not items:
        return []
    k = k % len(items)
    return items[len(items) - k :] + items[: len(items) - k]
