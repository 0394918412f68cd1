import sys

text = sys.stdin.read()
print(text.count("\n"), len(text.split()), len(text))
