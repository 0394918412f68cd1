import pandas as pd


def best_month(path):
    sales = pd.read_csv(path)
    revenue = sales["units"] * sales["price"]
    return revenue.groupby(sales["date"].str[:7]).sum().idxmax()


def number_of_sales(path):
    return len(pd.read_csv(path))


def products(path):
    return sorted(pd.read_csv(path)["product"].unique().tolist())
