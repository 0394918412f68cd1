import re
from collections import Counter


def top_words(text, n):
    counts = Counter(re.findall(r"\w+", text.lower()))
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [[word, count] for word, count in ranked[:n]]
