import os
import sys
import time

name = sys.argv[1]
while not os.path.exists(name):
    time.sleep(0.1)
with open(name) as file:
    print(file.read(), end="")
