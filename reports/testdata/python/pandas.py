# What a notebook's cells need of pandas, for a test on machines without it.
import csv


class Frame:
    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows


def read_sql_query(sql, db):
    cursor = db.execute(sql)
    return Frame([c[0] for c in cursor.description], [list(r) for r in cursor])


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    return Frame(rows[0], rows[1:])
