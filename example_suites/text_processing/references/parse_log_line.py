import re


def parse_log_line(line):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([A-Z]+) (.*)", line)
    if match is None:
        return None
    return {"time": match[1], "level": match[2], "message": match[3]}
