for number in range(3, -1, -1):
    print(number)
print("lift off")
