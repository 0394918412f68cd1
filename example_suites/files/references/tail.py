import sys

name, count = sys.argv[1], int(sys.argv[2])
with open(name) as file:
    lines = file.readlines()
print("".join(lines[-count:]), end="")
