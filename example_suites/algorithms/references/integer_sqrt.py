import math


def integer_sqrt(n):
    return math.isqrt(n)
