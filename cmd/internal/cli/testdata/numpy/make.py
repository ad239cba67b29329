"""Writes the matrices of this folder and expected.json: what numpy's SVD finds in them. Run it in this folder: python3 make.py

Every file is read back with numpy.load before it is decomposed, so that what is compared is the file. H is F'F of features F.
"""
import glob
import json
import os

import numpy as np

rng = np.random.default_rng(20250523)


def draw(n, d, smallest):
    """A matrix whose singular values fall geometrically from 1 to smallest."""
    u, _ = np.linalg.qr(rng.standard_normal((n, d)))
    v, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return 3 * (u * np.geomspace(1, smallest, d)) @ v.T


def load(name):
    if name.endswith(".csv"):
        with open(name) as f:
            skip = 0 if f.readline()[0] in "-0123456789" else 1
        return np.loadtxt(name, delimiter=",", ndmin=2, skiprows=skip)
    x = np.load(name)
    return x.reshape(-1, 1) if x.ndim == 1 else x


def roots(x):
    return np.linalg.svd(x.astype(np.float64), compute_uv=False)


def rank_of(name, features):
    """Features in float32: above max(rows, columns)*2**-24; everything else: above sqrt(eps) = 2**-26."""
    x = load(name)
    s = roots(x)
    tol = max(x.shape) * 2.0**-24 if features and x.dtype.itemsize == 4 and x.dtype.kind == "f" else 2.0**-26
    return int(np.sum(s > tol * s[0]))


def hessian(f, k):
    """What is known of H = F'F: singular values of F, squared; with the ridge the eigenvalues above it."""
    s = roots(f)
    k = min(k, f.shape[1])
    out = {"sigma_max": s[0] ** 2, "sigma_min": s[k - 1] ** 2, "kappa": (s[0] / s[k - 1]) ** 2, "rank": k}
    if k == f.shape[1]:
        ridge = 1e-6
        e = np.linalg.eigvalsh(f.astype(np.float64).T @ f.astype(np.float64) + ridge * np.eye(f.shape[1]))
        out["kappa_ridge"] = e[-1] / e[0]
    return out


def ceiling(p, h):
    """K_P of full rank: mu = eigenvalues of inv(K_P) K_H, over the non-zero ones."""
    _, s, vt = np.linalg.svd(p.astype(np.float64), full_matrices=False)
    mu = np.linalg.svd(h.astype(np.float64) @ vt.T / s, compute_uv=False) ** 2
    sh = roots(h)
    return mu[0] / mu[-1] * (s[0] / s[-1]) ** 2 / (sh[0] / sh[-1]) ** 2


def case(name, primary, harmful, theta=None, base=None):
    features = theta is None
    p, h = load(primary), load(harmful)
    kp, kh = rank_of(primary, features), rank_of(harmful, features)
    fp, fh = p.astype(np.float64), h.astype(np.float64)
    if theta:
        fp, fh = fp @ load(theta).astype(np.float64), fh @ load(theta).astype(np.float64)
    out = {"name": name, "args": ["--primary", primary, "--harmful", harmful]}
    out["primary"], out["harmful"] = hessian(fp, kp), hessian(fh, kh)
    if theta:
        out["args"] += ["--theta", theta]
        t = roots(load(theta))
        out["kappa_theta"] = t[0] / t[-1]
        out["base"] = {"primary": hessian(p, kp), "harmful": hessian(h, kh)}
    if base:
        out["args"] += ["--base-primary", base[0], "--base-harmful", base[1]]
        out["base"] = {k: hessian(load(f), rank_of(f, True)) for k, f in zip(("primary", "harmful"), base)}
    elif kp == kh == p.shape[1]:
        out["ceiling"] = ceiling(p, h)
    if "base" in out:
        i = out["harmful"]["kappa"] / out["base"]["harmful"]["kappa"]
        ii = out["primary"]["kappa"] / out["base"]["primary"]["kappa"]
        out |= {"ratio_harmful": i, "ratio_primary": ii, "rir": i / ii}
    return out


def npy(name, x, version=None):
    with open(name, "wb") as f:
        np.lib.format.write_array(f, x, version=version)


for old in glob.glob("*.npy") + glob.glob("*.csv") + ["expected.json"]:
    if os.path.exists(old):
        os.remove(old)

P, H, T = draw(13, 5, 1e-2), draw(9, 5, 3e-2), draw(5, 5, 0.1)
kinds = {
    "f8": lambda x: x.astype("<f8"), "f8-fortran": lambda x: np.asfortranarray(x.astype("<f8")),
    "f8-big": lambda x: x.astype(">f8"), "f8-big-fortran": lambda x: np.asfortranarray(x.astype(">f8")),
    "f4": lambda x: x.astype("<f4"), "f4-fortran": lambda x: np.asfortranarray(x.astype("<f4")),
    "f4-big": lambda x: x.astype(">f4"), "f4-big-fortran": lambda x: np.asfortranarray(x.astype(">f4")),
}
cases = []
for kind, cast in kinds.items():
    for name, x in (("P", P), ("H", H), ("T", T)):
        npy(f"{name}-{kind}.npy", cast(x))
    p, h, t = (f"{name}-{kind}.npy" for name in "PHT")
    cases.append(case(f"{kind}, inputs and theta", p, h, theta=t))
    cases.append(case(f"{kind}, features", p, h))

for kind, scale in (("i2", 1000), ("u1", 40), ("i8-big", 10**6)):
    dtype = {"i2": "<i2", "u1": "u1", "i8-big": ">i8"}[kind]
    for name, x in (("P", P), ("H", H)):
        x = np.round((x - (x.min() if kind == "u1" else 0)) * scale)
        npy(f"{name}-{kind}.npy", x.astype(dtype))
    cases.append(case(f"{kind}, inputs and theta", f"P-{kind}.npy", f"H-{kind}.npy", theta="T-f8.npy"))

npy("P-version-2.npy", P, (2, 0))
npy("H-version-3.npy", H, (3, 0))
cases.append(case("format versions 2.0 and 3.0", "P-version-2.npy", "H-version-3.npy"))

np.savetxt("P.csv", P, delimiter=",", fmt="%.17g")
np.savetxt("H-header.csv", H, delimiter=",", fmt="%.17g", header="a,b,c,d,e", comments="")
cases.append(case("CSV with and without a header", "P.csv", "H-header.csv", theta="T-f8.npy"))

# Fewer examples than columns, and a rectangular theta.
npy("P-wide.npy", draw(5, 5, 0.1) @ rng.standard_normal((5, 8)))
npy("H-wide.npy", draw(4, 4, 0.2) @ rng.standard_normal((4, 8)))
npy("T-narrow.npy", rng.standard_normal((8, 3)))
npy("T-broad.npy", rng.standard_normal((8, 11)))
cases.append(case("fewer examples than columns", "P-wide.npy", "H-wide.npy"))
cases.append(case("a narrow theta", "P-wide.npy", "H-wide.npy", theta="T-narrow.npy"))
cases.append(case("a broad theta", "P-wide.npy", "H-wide.npy", theta="T-broad.npy"))

# Features of two models in float32, of rank 4 in 6 columns: rounding leaves singular values near 2**-24, which do not count.
low = (draw(40, 4, 0.05) @ rng.standard_normal((4, 6))).astype("<f4")
npy("features-P.npy", low)
npy("features-H.npy", (draw(30, 4, 0.02) @ rng.standard_normal((4, 6))).astype("<f4"))
npy("original-P.npy", draw(40, 6, 0.1).astype("<f4"))
npy("original-H.npy", draw(30, 6, 0.3).astype("<f4"))
cases.append(case("two models", "features-P.npy", "features-H.npy", base=("original-P.npy", "original-H.npy")))
assert cases[-1]["primary"]["rank"] == 4 and roots(low)[4] > 0

npy("one.npy", np.array([[2.5]]))
npy("list.npy", np.array([1.0, 2.0, 3.0]))
cases.append(case("one number, and a list", "one.npy", "list.npy"))

with open("expected.json", "w") as f:
    json.dump({"numpy": np.__version__, "cases": cases}, f, indent=1)
    f.write("\n")
