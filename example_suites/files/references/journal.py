with open("journal.txt", "a") as journal:
    journal.write("wednesday: snow\n")
