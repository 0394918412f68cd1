import matplotlib.pyplot as plt
import pandas as pd

weather = pd.read_csv("weather.csv")
warmest = weather.loc[weather["temperature"].idxmax()]
print("warmest day:", warmest["day"])
plt.plot(weather["day"], weather["temperature"])
plt.show()
