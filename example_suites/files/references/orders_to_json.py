import csv
import json

with open("orders.csv") as file:
    orders = [
        {"id": int(row["id"]), "customer": row["customer"], "total": float(row["total"])}
        for row in csv.DictReader(file)
    ]
with open("orders.json", "w") as file:
    json.dump(orders, file)
