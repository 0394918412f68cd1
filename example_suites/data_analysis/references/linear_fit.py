import numpy as np


def linear_fit(x, y):
    slope, intercept = np.polyfit(x, y, 1)
    return [round(float(slope), 3), round(float(intercept), 3)]
