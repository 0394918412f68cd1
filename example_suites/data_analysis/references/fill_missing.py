import pandas as pd

filled = pd.read_csv("survey.csv")
score = filled["Satisfaction Score"]
filled["Satisfaction Score"] = score.fillna(score.groupby(filled["group"]).transform("median"))
