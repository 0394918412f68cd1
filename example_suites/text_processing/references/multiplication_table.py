for row in range(1, 4):
    print("".join(f"{row * column:4}" for column in range(1, 4)))
