# Executes the cells of a notebook and writes what each gave, as JSON.
import json, sys

with open(sys.argv[1], encoding="utf-8") as f:
    notebook = json.load(f)
names, out = {}, {}
for cell in notebook["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), names)
        last = cell["source"][-1]
        if last in names and hasattr(names[last], "rows"):
            out[cell["id"]] = [names[last].columns, *names[last].rows]
from IPython.display import shown
json.dump({"rows": out, "shown": shown}, sys.stdout)
