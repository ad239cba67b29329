#!/usr/bin/env python3
"""Times numpy and PyTorch at the work of the engine's benchmarks, and prints what `go test -bench` prints.

    python3 peers.py [-count 10] [-time 0.3] [-only REGEXP]
    python3 peers.py -ratios peers.txt kappa.txt              how many times faster the second file is, by medians

Every line bears the name of the Go benchmark that does the same work, so that benchstat puts the two side by side:

    name                                        package            what is timed here
    BenchmarkGemm/f64/n=64 … n=784              engine/blas        numpy.matmul(A, B, out=C), all n×n
    BenchmarkGemm/f64/64x784x784                engine/blas        the same, 64×784 by 784×784 (m×n×k)
    BenchmarkGemm/f64/784x784x64T               engine/blas        the same, AᵀB with A and B 64×784
    BenchmarkGemm/f32/…                         engine/blas        the same in single precision
    BenchmarkTrajectory/F/n=64 … n=784          engine/spectrum    numpy.linalg.eigh of the H of both tasks, formed before
    BenchmarkTrajectory/theta/n=64 … n=784      engine/spectrum    H = θᵀKθ and numpy.linalg.eigh, for both tasks
    BenchmarkSingularValues/n=784               engine/spectrum    numpy.linalg.svd(A, compute_uv=False)
    BenchmarkSingularValues/n=5900x784          engine/spectrum    the same of 5900×784
    BenchmarkFactor/new/n=784x784 …             engine/spectrum    numpy.linalg.svd(X, full_matrices=False); kappa needs V alone
    BenchmarkAlgorithm1Step/d=64,n=180/step …   engine/immunize    one step of Algorithm 1 on all rows, in numpy
    BenchmarkReleasedStep/d=784,batch=64/step … engine/immunize    one step of the released code by autograd, in PyTorch
    BenchmarkStep/resnet-small, vit-small       engine/nn          one training step of the net on 64 images of 28×28, in PyTorch

The matrices are standard normal, those of the two tasks with columns scaled geometrically, so that κ(XᵀX) is about 10³ and the
steps stay away from degenerate ends. Python's share of a call (BenchmarkCall, the product of 1×1 matrices) is in every number.

The line "kernel:" says which of its kernels OpenBLAS has chosen. An environment variable can pin it to an older one, which
halves it: it is cleared here. PyTorch is timed with one thread and with all, and the faster way is the one that counts.

Lines of nets also say what the process had at most in memory (peak-MiB), and by how much that is more than before the net was made
(grown-MiB): run with -only for one net, as the peak never falls.
"""

import argparse
import os
import re
import resource
import statistics
import time

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.pop(name, None)  # before the libraries are loaded: they look once

import numpy as np

RIDGE = 1e-6  # what the released code adds to every eigenvalue


def normal(*shape, dtype=np.float64, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def scaled(n, d, first, last, seed):
    """n rows whose columns are scaled from first to last."""
    return normal(n, d, seed=seed) * np.geomspace(first, last, d)


def gemm(m, n, k, dtype, transposed=False):
    a = normal(k, m, dtype=dtype).T if transposed else normal(m, k, dtype=dtype)
    b, c = normal(k, n, dtype=dtype, seed=2), np.empty((m, n), dtype)
    return lambda: np.matmul(a, b, out=c)


def ends(d, formed):
    hs = [x.T @ x for x in (scaled(7 * d, d, 1, 0.03, 1), scaled(7 * d, d, 0.05, 1, 2))]
    if formed:
        return lambda: [np.linalg.eigh(h) for h in hs]
    theta = np.eye(d) + normal(d, d) / (100 * d)
    return lambda: [np.linalg.eigh(theta.T @ h @ theta) for h in hs]


def singular_values(n, d):
    a = normal(n, d)
    return lambda: np.linalg.svd(a, compute_uv=False)


def factor(n, d):
    x = normal(n, d)
    return lambda: np.linalg.svd(x, full_matrices=False)


def algorithm1_step(d, n):
    """A step on R_ill(H_H) + R_well(H_P) + the mean squared error, the preconditioners K cancelled, both regularizers' steps of a
    given length: what one writes with numpy, each H formed once and decomposed once."""
    x, z = scaled(n, d, 1, 0.03, 1), scaled(n, d, 0.05, 1, 2)
    y = normal(n, seed=3)
    k_primary, k_harmful = x.T @ x, z.T @ z
    theta, w = np.eye(d), np.zeros(d)

    def step():
        nonlocal theta, w
        h = theta.T @ k_primary @ theta
        values, vectors = np.linalg.eigh(h)
        top = vectors[:, -1]
        well = 2 * theta @ (values[-1] * np.outer(top, top) - h / d)
        h = theta.T @ k_harmful @ theta
        values, vectors = np.linalg.eigh(h)
        low = vectors[:, 0]
        ill = 2 * theta @ (values[0] * np.outer(low, low) - h / d)
        back = 2 / n * (x.T @ (x @ (theta @ w) - y))
        grad_theta, grad_w = np.outer(back, w), theta.T @ back
        theta = theta - 1e-3 * (well / np.linalg.norm(well) + ill / np.linalg.norm(ill)) - 1e-6 * grad_theta
        w = w - 1e-6 * grad_w

    return step


def released_step(d, rows):
    """A step as the released code takes it: features Xθ + bias, both regularizers through the eigenvalues of their d×d Gram matrix,
    the ridge preconditioner on θ's gradient in the backward pass, logistic loss, Adam; double precision."""
    import torch

    torch.manual_seed(1)
    double = torch.double
    theta = ((torch.rand(d, d, dtype=double) * 2 - 1) / d**0.5).requires_grad_()
    bias = torch.zeros(d, dtype=double, requires_grad=True)
    w = torch.randn(d, dtype=double, requires_grad=True)
    adam = torch.optim.Adam([theta, bias, w], lr=1e-3)
    x, z = torch.randn(rows, d, dtype=double), torch.randn(rows, d, dtype=double)
    y = torch.randint(0, 2, (rows,)).to(double)
    eye = torch.eye(d, dtype=double)

    class Preconditioned(torch.autograd.Function):
        @staticmethod
        def forward(ctx, theta, x, ridge):
            ctx.save_for_backward(x)
            ctx.ridge = ridge
            return theta

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return torch.linalg.solve(x.T @ x + ctx.ridge * eye, grad), None, None

    def gram(x, ridge):
        f = x @ Preconditioned.apply(theta, x, ridge) + bias
        return f.T @ f

    def step():
        adam.zero_grad()
        h = gram(x, 1.0)
        top = torch.linalg.eigvalsh(h + RIDGE * eye)[-1]
        well = top**2 / 2 - (h**2).sum() / (2 * d)
        h = gram(z, 1e-7)
        values = torch.linalg.eigvalsh(h + RIDGE * eye)
        low = values[values > RIDGE].min()
        ill = 1 / ((h**2).sum() / (2 * d) - low**2 / 2)
        loss = torch.nn.functional.binary_cross_entropy_with_logits((x @ theta + bias) @ w, y)
        (loss + well + 5e7 * ill).backward()
        adam.step()

    return with_best_threads(step)


def with_best_threads(step):
    """The step, with as many threads for PyTorch from now on as make it fastest."""
    import torch

    threads = {}
    for n in sorted({1, cores()}):
        torch.set_num_threads(n)
        step()
        began = time.perf_counter()
        for _ in range(3):
            step()
        threads[n] = time.perf_counter() - began
    torch.set_num_threads(min(threads, key=threads.get))
    return step


def residual_net():
    """A ResNet for small images: a 3×3 convolution to 16 channels, three stages of two basic blocks with 16, 32 and 64 channels, the
    later two beginning with stride 2, the mean over the picture, ten classes."""
    from torch import nn

    def conv(a, b, size, stride):
        return [nn.Conv2d(a, b, size, stride, size // 2, bias=False), nn.BatchNorm2d(b)]

    class Residual(nn.Module):
        def __init__(self, a, b, stride):
            super().__init__()
            self.way = nn.Sequential(*conv(a, b, 3, stride), nn.ReLU(), *conv(b, b, 3, 1))
            self.short = nn.Sequential(*conv(a, b, 1, stride)) if a != b else nn.Identity()

        def forward(self, x):
            return nn.functional.relu(self.way(x) + self.short(x))

    stages = [Residual(a, b, 1 + (a < b)) for a, b in ((16, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64))]
    return nn.Sequential(*conv(1, 16, 3, 1), nn.ReLU(), *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def transformer_net():
    """A Vision Transformer for small images: 49 patches of 4×4 and a class token of width 64, four pre-norm blocks of four heads with
    128 hidden units, ten classes."""
    import torch
    from torch import nn

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(1, 64, 4, 4)
            self.token = nn.Parameter(torch.zeros(1, 1, 64))
            self.places = nn.Parameter(torch.zeros(1, 50, 64))
            block = nn.TransformerEncoderLayer(64, 4, dim_feedforward=128, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
            self.blocks = nn.TransformerEncoder(block, 4, norm=nn.LayerNorm(64))
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            tokens = self.patches(x).flatten(2).mT
            tokens = torch.cat((self.token.expand(len(x), 1, 64), tokens), 1) + self.places
            return self.head(self.blocks(tokens)[:, 0])

    return Transformer()


def net_step(make):
    """A training step on a batch of 64: label-smoothed cross-entropy, SGD with Nesterov's momentum, single precision."""
    import torch

    torch.manual_seed(1)
    net = make()
    images, labels = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)

    def step():
        sgd.zero_grad()
        loss(net(images), labels).backward()
        sgd.step()

    return with_best_threads(step)


def benchmarks():
    """(name, what makes the function to be timed, floating-point operations or None)"""
    yield "BenchmarkCall", lambda: gemm(1, 1, 1, np.float64), None
    for kind, dtype in (("f64", np.float64), ("f32", np.float32)):
        for n in (64, 79, 256, 784):
            yield f"BenchmarkGemm/{kind}/n={n}", lambda n=n, t=dtype: gemm(n, n, n, t), 2 * n**3
        yield f"BenchmarkGemm/{kind}/64x784x784", lambda t=dtype: gemm(64, 784, 784, t), 2 * 64 * 784**2
        yield f"BenchmarkGemm/{kind}/784x784x64T", lambda t=dtype: gemm(784, 784, 64, t, True), 2 * 64 * 784**2
    for d in (64, 79, 200, 784):
        yield f"BenchmarkTrajectory/theta/n={d}", lambda d=d: ends(d, False), None
    for d in (64, 79, 200, 784):
        yield f"BenchmarkTrajectory/F/n={d}", lambda d=d: ends(d, True), None
    yield "BenchmarkSingularValues/n=784", lambda: singular_values(784, 784), None
    yield "BenchmarkSingularValues/n=5900x784", lambda: singular_values(5900, 784), None
    for n, d in ((180, 64), (784, 784), (5900, 784)):
        yield f"BenchmarkFactor/new/n={n}x{d}", lambda n=n, d=d: factor(n, d), None
    for d, n in ((64, 180), (79, 200), (784, 5900)):
        yield f"BenchmarkAlgorithm1Step/d={d},n={n}/step", lambda d=d, n=n: algorithm1_step(d, n), None
    for d in (79, 784):
        yield f"BenchmarkReleasedStep/d={d},batch=64/step", lambda d=d: released_step(d, 64), None
    yield "BenchmarkStep/resnet-small", lambda: net_step(residual_net), None
    yield "BenchmarkStep/vit-small", lambda: net_step(transformer_net), None


def kernel():
    """The kernel that OpenBLAS runs, of the library that numpy has loaded."""
    import ctypes

    with open("/proc/self/maps") as f:
        paths = {line.split()[-1] for line in f if "blas" in line and ".so" in line}
    for path in sorted(paths):
        try:
            corename = ctypes.CDLL(path).openblas_get_corename
        except (OSError, AttributeError):
            continue
        corename.restype = ctypes.c_char_p
        return corename().decode()
    return "unknown"


def cores():
    """What Go's GOMAXPROCS is by default, the end of its benchmarks' names."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def peak():
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def measure(f, seconds):
    """The number of calls that fill the time, and nanoseconds a call; nothing but calls is in the last, longest loop."""
    f()
    calls = 1
    while True:
        began = time.perf_counter()
        for _ in range(calls):
            f()
        spent = time.perf_counter() - began
        if spent >= seconds:
            return calls, spent / calls * 1e9
        calls = max(calls + 1, min(100 * calls, int(1.1 * seconds / max(spent, 1e-9) * calls)))


def medians(path):
    """Median nanoseconds of every name in a file of benchmark lines."""
    times = {}
    with open(path) as f:
        for fields in map(str.split, f):
            if fields and fields[0].startswith("Benchmark") and "ns/op" in fields:
                times.setdefault(fields[0], []).append(float(fields[fields.index("ns/op") - 1]))
    return {name: statistics.median(values) for name, values in times.items()}


def ratios(peers, kappa):
    peers, kappa = medians(peers), medians(kappa)
    print("| work | kappa | peer | ratio |\n|---|---|---|---|")
    for name in peers:
        if name in kappa:
            mine, theirs = kappa[name] / 1e6, peers[name] / 1e6
            print(f"| {name.removeprefix('Benchmark')} | {mine:.4g} ms | {theirs:.4g} ms | {theirs / mine:.2f} |")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("-count", type=int, default=10, help="lines for each name")
    args.add_argument("-time", type=float, default=0.3, help="seconds for each line")
    args.add_argument("-only", default="", help="regular expression of names")
    args.add_argument("-ratios", nargs=2, metavar="FILE", help="compare two files of benchmark lines; time nothing")
    args = args.parse_args()
    if args.ratios:
        ratios(*args.ratios)
        return
    print(f"kernel: {kernel()}", flush=True)
    suffix = f"-{cores()}" if cores() > 1 else ""
    for name, make, flops in benchmarks():
        if not re.search(args.only, name):
            continue
        net = name.startswith("BenchmarkStep/")
        if net:
            import torch  # not part of what the net needs
        before = peak()
        f = make()
        for _ in range(args.count):
            calls, ns = measure(f, args.time)
            more = f" {flops / ns:.2f} GFLOP/s" if flops else ""
            if net:
                more = f" {peak():.1f} peak-MiB {peak() - before:.1f} grown-MiB"
            print(f"{name}{suffix} {calls} {ns:.1f} ns/op{more}", flush=True)


if __name__ == "__main__":
    main()
