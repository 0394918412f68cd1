import pandas as pd

survey = pd.read_csv("survey.csv")
means = survey.groupby("group")["Satisfaction Score"].mean()
for group, mean in means.items():
    print(group, round(mean, 1))
