# Run this cell first. It gives the cells below the queries of the report: from kappa's database where that is found, else from the
# CSV files beside the report.
import json, math, os, pathlib, sqlite3
import pandas as pd

NAME = {{name}}  # of the experiment
HERE = pathlib.Path({{base}})  # the report's folder
FILES = HERE / (NAME + "_files")
PATHS = {{paths}}  # swept
PLAN = [json.loads(line) for line in """
{{plan}}
""".split()]  # a line a run: where its key begins, and its swept values


def database():
    """The path of the database: $KAPPA_DB, or .kappa/runs.db here or in the nearest folder above."""
    if os.environ.get("KAPPA_DB"):
        return pathlib.Path(os.environ["KAPPA_DB"])
    here = HERE.resolve()
    for folder in [here, *here.parents]:
        if (folder / ".kappa" / "runs.db").exists():
            return folder / ".kappa" / "runs.db"
    return None


def student(n):
    """The 97.5 % quantile of Student's t with n degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    def inside(t):
        angle = math.atan(t / math.sqrt(n))
        s, c = math.sin(angle), math.cos(angle)
        term, total = (c, 0.0) if n % 2 else (1.0, 0.0)
        for i in range(3 if n % 2 else 2, n + 1, 2):
            total += term
            term *= c * c * (i - 1) / i
        return 2 / math.pi * (angle + s * total) if n % 2 else s * total
    low, high = 0.0, 13.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < 0.95 else (low, middle)
    return low


def quantile(x, p):
    x = sorted(x)
    h = (len(x) - 1) * p
    i = min(int(h), len(x) - 1)
    j = min(i + 1, len(x) - 1)
    return x[i] + (h - i) * (x[j] - x[i])


def mean(x):
    return math.fsum(x) / len(x)


def stddev(x):
    return math.sqrt(math.fsum((v - mean(x)) ** 2 for v in x) / (len(x) - 1)) if len(x) > 1 else None


def ci95(x):
    return student(len(x) - 1) * stddev(x) / math.sqrt(len(x)) if len(x) > 1 else None


def around(sign):
    return lambda x: mean(x) + sign * ci95(x) if len(x) > 1 else None


def aggregate(of):
    """An aggregate function of SQL: of its finite numbers, and of its last further argument."""
    class Aggregate:
        def __init__(self):
            self.x, self.rest = [], ()

        def step(self, x, *rest):
            self.rest = rest
            if x is not None and math.isfinite(x):
                self.x.append(x)

        def finalize(self):
            return of(self.x, *self.rest) if self.x else None
    return Aggregate


def mathematics(db):
    """SQLite's mathematics, where this Python's SQLite was built without."""
    def safe(of):
        def value(*x):
            try:
                return None if None in x else of(*x)
            except (ValueError, OverflowError):
                return None
        return value
    try:
        db.execute("SELECT log10(1.0)")
    except sqlite3.OperationalError:
        for name in ["sqrt", "exp", "log10", "log2", "floor", "ceil", "sin", "cos", "tan", "asin", "acos", "atan"]:
            db.create_function(name, 1, safe(getattr(math, name)))
        for name, arguments, of in [
            ("ln", 1, math.log), ("log", 1, math.log10), ("log", 2, lambda base, x: math.log(x, base)), ("atan2", 2, math.atan2),
            ("pow", 2, math.pow), ("power", 2, math.pow), ("pi", 0, lambda: math.pi), ("radians", 1, math.radians),
        ]:
            db.create_function(name, arguments, safe(of))


def connect(path):
    """The database, read only, with the views as the report's queries see them: the runs of its plan, in its order."""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    for name, arguments, of in [
        ("median", 1, lambda x: quantile(x, 0.5)), ("quantile", 2, quantile), ("stddev", 1, stddev),
        ("ci95", 1, ci95), ("ci95_low", 1, around(-1)), ("ci95_high", 1, around(1)),
    ]:
        db.create_aggregate(name, arguments, aggregate(of))
    mathematics(db)
    columns = {p: p.replace(".", "_") for p in PATHS if p not in
               ("primary.dataset", "primary.class", "harmful.dataset", "harmful.class")}
    quoted = ['"' + c.replace('"', '""') + '"' for c in columns.values()]
    order = {}  # of runs in the plan, by which GROUP BY and ORDER BY take them too
    place = lambda key: (order.get(key, len(PLAN)), key)
    db.create_collation("plan", lambda a, b: (place(a) > place(b)) - (place(a) < place(b)))
    db.execute("CREATE TEMP TABLE plan (ordinal INTEGER PRIMARY KEY, run TEXT UNIQUE COLLATE plan)")
    db.execute("CREATE TEMP TABLE swept (" + ", ".join(["ordinal INTEGER PRIMARY KEY", "json TEXT", *quoted]) + ")")
    for ordinal, (key, values) in enumerate(PLAN):
        row = db.execute("SELECT key FROM main.runs WHERE key >= ? AND key < ? || 'g'", (key, key)).fetchone()
        if row:
            order[row[0]] = ordinal
            db.execute("INSERT INTO temp.plan VALUES (?, ?)", (ordinal, row[0]))
        value = lambda v: v if v is None or isinstance(v, (int, float, str)) and not isinstance(v, bool) else json.dumps(v)
        values = dict(zip(PATHS, values))
        row = [ordinal, json.dumps({p: v for p, v in values.items() if v is not None}), *(value(values[p]) for p in columns)]
        db.execute("INSERT INTO temp.swept VALUES (" + ", ".join("?" * len(row)) + ")", row)
    for view in ["runs", "results", "metrics", "condition_numbers", "attacks", "params", "dependencies", "artifacts"]:
        have = [r[1] for r in db.execute(f"PRAGMA main.table_info({view})")]
        if not have:
            continue
        key = "key" if view == "runs" else "run"
        shown = ["s.json AS swept" if c == "swept" else "'" + NAME.replace("'", "''") + "' AS experiment" if c == "experiment"
                 else f'p.run AS "{c}"' if c == key else f'v."{c}"' for c in have]
        if view == "results":
            shown += ["s." + c for c in quoted]
        db.execute(f"CREATE TEMP VIEW {view} AS SELECT {', '.join(shown)} FROM temp.plan AS p CROSS JOIN main.{view} AS v "
                   f"ON v.{key} = p.run JOIN temp.swept AS s USING (ordinal) ORDER BY p.ordinal")
    return db


def read(file, sql):
    """The rows of a query, or of the CSV file that the report wrote of them if there is no database."""
    if DB is not None:
        return pd.read_sql_query(sql, DB)
    return pd.read_csv(FILES / file)


def show(file):
    """A figure of the report, from its file."""
    from IPython.display import SVG, display
    if (FILES / file).exists():
        display(SVG(filename=str(FILES / file)))


DB = connect(database()) if database() else None
