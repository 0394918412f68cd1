import statistics


def outliers(values):
    middle = statistics.median(values)
    spread = statistics.median(abs(value - middle) for value in values)
    return [place for place, value in enumerate(values) if abs(value - middle) > 5 * spread]
