import json

with open("settings.json") as file:
    settings = json.load(file)
settings["theme"] = "dark"
settings["font"]["size"] = 14
with open("settings.json", "w") as file:
    json.dump(settings, file)
