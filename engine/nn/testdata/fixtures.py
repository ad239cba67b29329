"""What engine/nn is held against: layers and nets of PyTorch, written as .safetensors.

    fixtures.py             writes layers.safetensors, nets.safetensors and names.txt beside this file (they are committed)
    fixtures.py --full DIR  writes torchvision's resnet18 and vit_b_16 whole, with weights and gradients, to DIR (about 0.8 GB)

It needs Debian's python3-torch and python3-torchvision (written with 1.13 and 0.14). Everything is float32 on one thread.
A tensor "case/x" is a case's input, "case/y" its output, "case/dy" the gradient in the output, "case/dx" the one in the input, "case/p/NAME"
a parameter or buffer NAME, "case/d/NAME" its gradient, "case/after/NAME" a buffer after the pass.
"""
import copy, json, math, os, struct, sys
import numpy as np, torch, torchvision
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
EPSILON = 1e-6  # of timm's and torchvision's ViT


def save(path, tensors, metadata=None):
    """The .safetensors format by hand; a tensor's bytes are written in the order of the dictionary."""
    kinds = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
    header, at = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    tensors = {k: v.detach().contiguous() for k, v in tensors.items()}
    tensors = dict(sorted(tensors.items(), key=lambda kv: -kv[1].element_size()))  # stable: aligned, otherwise as given
    for name, t in tensors.items():
        size = t.numel() * t.element_size()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(t.numpy().tobytes())
    print(f"{path}: {os.path.getsize(path)} bytes, {len(tensors)} tensors")


# Layers.

def randomize(module):
    """Parameters and statistics as no layer begins with."""
    with torch.no_grad():
        for name, p in [*module.named_parameters(), *uncounted(dict(module.named_buffers())).items()]:
            if name.endswith("running_var"):
                p.uniform_(0.5, 2)
            elif p.dim() > 1:
                p.normal_(0, 1 / math.sqrt(p[0].numel()))
            elif name.endswith("weight"):
                p.uniform_(0.5, 1.5)
            else:
                p.normal_(0, 0.3)
    return module


def uncounted(state):
    """Without the counters of batch norms, which nothing computes with."""
    return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}


def run(out, case, module, x, rename=lambda state: state, train=True):
    """A layer's pass and its gradients, under the names that rename gives the parameters."""
    module.train(train)
    out[case + "/x"] = x
    for name, p in rename({k: v.clone() for k, v in uncounted(module.state_dict()).items()}).items():
        out[f"{case}/p/{name}"] = p
    x = x.clone().requires_grad_()
    y = module(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    out[case + "/y"], out[case + "/dy"], out[case + "/dx"] = y, dy, x.grad
    grads = {k: p.grad for k, p in module.named_parameters()}
    for name, g in rename(grads).items():
        out[f"{case}/d/{name}"] = g
    for name, b in uncounted(dict(module.named_buffers())).items():
        out[f"{case}/after/{name}"] = b


class Lambda(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.forward = f


class Attention(nn.Module):
    """nn.MultiheadAttention of x with itself."""
    def __init__(self, width, heads):
        super().__init__()
        self.mha = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return self.mha(x, x, x, need_weights=False)[0]


class Embed(nn.Module):
    """Class token, patches, positions."""
    def __init__(self, channels, size, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, patch, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + size[0] // patch * (size[1] // patch), dim))

    def forward(self, x):
        t = self.proj(x).flatten(2).transpose(1, 2)
        return torch.cat([self.cls_token.expand(len(t), -1, -1), t], 1) + self.pos_embed


def substitute(*pairs):
    """A renaming of a state's keys by substitutions, one after another."""
    def rename(state):
        out = {}
        for name, v in state.items():
            for old, new in pairs:
                name = name.replace(old, new)
            out[name] = v
        return out
    return rename


ATTENTION = (("in_proj_", "qkv."), ("out_proj.", "proj."))
ENCODER = (("self_attn.", "attn."), ("linear1.", "mlp.fc1."), ("linear2.", "mlp.fc2.")) + ATTENTION


def encoder(width, heads, hidden, epsilon):
    return nn.TransformerEncoderLayer(width, heads, hidden, 0.0, "gelu", batch_first=True, norm_first=True, layer_norm_eps=epsilon)


def layers():
    torch.manual_seed(1)
    out, maps = {}, torch.randn(3, 3, 9, 8)
    conv = lambda k, s, p, cout=5: randomize(nn.Conv2d(3, cout, k, s, p, bias=False))
    run(out, "conv3x3", conv(3, 1, 1), maps)
    run(out, "conv3x3-wide", randomize(nn.Conv2d(17, 19, 3, 1, 1, bias=False)), torch.randn(2, 17, 5, 4))
    run(out, "conv3x3-stride2", conv(3, 2, 1), maps)
    run(out, "conv3x3-one-pixel", conv(3, 1, 1), torch.randn(2, 3, 1, 1))
    run(out, "conv1x1", conv(1, 1, 0), maps)
    run(out, "conv1x1-stride2", conv(1, 2, 0), maps)
    run(out, "conv7x7-stride2", conv(7, 2, 3), torch.randn(2, 3, 12, 13))
    run(out, "batchnorm-train", randomize(nn.BatchNorm2d(3)), maps)
    run(out, "batchnorm-eval", randomize(nn.BatchNorm2d(3)), maps, train=False)
    run(out, "relu", nn.ReLU(), maps)
    run(out, "maxpool", nn.MaxPool2d(3, 2, 1), maps)
    run(out, "avgpool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), maps)
    from torchvision.models.resnet import BasicBlock
    down = nn.Sequential(nn.Conv2d(3, 4, 1, 2, bias=False), nn.BatchNorm2d(4))
    run(out, "basicblock-down", randomize(BasicBlock(3, 4, 2, down)), maps)
    run(out, "basicblock", randomize(BasicBlock(3, 3)), maps)
    run(out, "basicblock-eval", randomize(BasicBlock(3, 3)), maps, train=False)
    run(out, "linear", randomize(nn.Linear(7, 5)), torch.randn(4, 7))
    run(out, "linear-tokens", randomize(nn.Linear(7, 5)), torch.randn(2, 3, 7))
    run(out, "layernorm", randomize(nn.LayerNorm(11, EPSILON)), torch.randn(2, 3, 11) * 3 + 1)
    run(out, "layernorm-flat", randomize(nn.LayerNorm(11, 1e-5)), 1e-3 * torch.randn(4, 11))  # a variance that ε changes
    run(out, "gelu", nn.GELU(), torch.cat([torch.randn(40) * 2, torch.tensor([0, 1e-8, -1e-8, 12, -12, 40, -40, 5, -5, 1])]).reshape(5, 10))
    tokens = torch.randn(2, 5, 12)
    run(out, "attention", randomize(Attention(12, 3)), tokens, substitute(("mha.", ""), *ATTENTION))
    run(out, "encoder", randomize(encoder(12, 3, 20, EPSILON)), tokens, substitute(*ENCODER))
    run(out, "embed", randomize(Embed(2, (8, 12), 4, 6)), torch.randn(2, 2, 8, 12), substitute(("proj.", "patch_embed.proj.")))
    losses(out)
    optimizers(out)
    schedules(out)
    return out


def losses(out):
    logits, labels = torch.randn(6, 5) * 4, torch.randint(0, 5, (6,))
    for case, smoothing in (("crossentropy", 0.0), ("crossentropy-smoothed", 0.1)):
        x = logits.clone().requires_grad_()
        loss = F.cross_entropy(x, labels, label_smoothing=smoothing)
        loss.backward()
        out.update({f"{case}/x": logits, f"{case}/labels": labels, f"{case}/y": loss, f"{case}/dx": x.grad})


def optimizers(out):
    """Steps with given gradients: weight decay acts on "weight" (3×4) and not on "bias"."""
    steps, rates = 6, [0.1, 0.05, 0.2, 0.1, 0.1, 0.01]
    start = {"weight": torch.randn(3, 4), "bias": torch.randn(3)}
    grads = {k: torch.randn(steps, *v.shape) for k, v in start.items()}
    for case, make in (
        ("sgd", lambda g: torch.optim.SGD(g, 1, momentum=0)),
        ("sgd-momentum", lambda g: torch.optim.SGD(g, 1, momentum=0.9)),
        ("sgd-nesterov", lambda g: torch.optim.SGD(g, 1, momentum=0.9, nesterov=True)),
        ("adamw", lambda g: torch.optim.AdamW(g, 1)),
        ("adam", lambda g: torch.optim.Adam(g, 1)),
    ):
        p = {k: v.clone().requires_grad_() for k, v in start.items()}
        decay = 0 if case == "adam" else 0.07
        opt = make([{"params": [p["weight"]], "weight_decay": decay}, {"params": [p["bias"]], "weight_decay": 0}])
        path = {k: [] for k in p}
        for i, rate in enumerate(rates):
            for g in opt.param_groups:
                g["lr"] = rate
            for k, v in p.items():
                v.grad = grads[k][i].clone()
            opt.step()
            for k, v in p.items():
                path[k].append(v.detach().clone())
        for k in p:
            out.update({f"{case}/p/{k}": start[k], f"{case}/d/{k}": grads[k], f"{case}/after/{k}": torch.stack(path[k])})
        out[f"{case}/rates"], out[f"{case}/decay"] = torch.tensor(rates, dtype=torch.float64), torch.tensor(decay, dtype=torch.float64)
    p = {k: nn.Parameter(v) for k, v in start.items()}
    for k, v in p.items():
        v.grad = 3 * grads[k][0].clone()
        out[f"clip/d/{k}"] = v.grad.clone()
    out["clip/norm"] = nn.utils.clip_grad_norm_(p.values(), 2.0)
    for k, v in p.items():
        out[f"clip/after/{k}"] = v.grad


def schedules(out):
    """A cosine after a linear warm-up, of 0 and of 5 steps."""
    from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
    for warmup in (0, 5):
        opt = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.3)
        s = CosineAnnealingLR(opt, 20 - warmup)
        if warmup:
            s = SequentialLR(opt, [LinearLR(opt, 1 / (warmup + 1), 1, warmup), CosineAnnealingLR(opt, 20 - warmup)], [warmup])
        rates = []
        for _ in range(20):
            rates.append(opt.param_groups[0]["lr"])
            opt.step()
            s.step()
        out[f"cosine-warmup{warmup}/y"] = torch.tensor(rates, dtype=torch.float64)


# Kinks. Where the input of a ReLU is within rounding of 0, or the two largest numbers of a pooling window within rounding of each other,
# float32 does not decide on which side a net computes, and each such place moves gradients by far more than rounding: PyTorch's own
# gradients of resnet18 in float32 and float64 then differ by up to 1e-2. Fixtures stay away from kinks.

MARGIN = 2e-5  # 20 times the rounding errors of activations, which are of order 1


def at_relus(net, visit):
    """Calls visit with each input of a ReLU and the batch norm that came last before it (its bias, or that of the one beside it, is added
    to the input); visit may return another input. Returns the hooks."""
    last, hooks = [], []
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            hooks.append(m.register_forward_hook(lambda m, i, o: last.append(m)))
        if isinstance(m, nn.ReLU):
            m.inplace = False
            hooks.append(m.register_forward_pre_hook(lambda m, i: visit(i[0], last[-1])))
    return hooks


def nearest_kink(net, x, *modes):
    """The smallest magnitude of an input of a ReLU of a net, in float64; modes: in training or not."""
    net, smallest = copy.deepcopy(net).double(), []
    at_relus(net, lambda z, norm: smallest.append(float(z.abs().min())))
    with torch.no_grad():
        for train in modes:
            net.train(train)(x.double())
    return min(smallest)


def avoid_kinks(net, x):
    """Changes pixels of x by 0.01, and biases of batch norms a little, until no kink of the net in training is nearer than MARGIN."""
    double = copy.deepcopy(net).double().train()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        while True:  # pooling: only images can part two numbers of one channel
            maps = torch.relu(double.bn1(double.conv1(x.double())))
            windows = F.unfold(F.pad(maps, (1, 1, 1, 1)).flatten(0, 1)[:, None], 3, stride=2)
            top = windows.topk(2, 1).values
            near = ((top[:, 0] - top[:, 1] < MARGIN / 4) & (top[:, 0] > 0)).nonzero()
            if len(near) == 0:
                break
            for plane, w in near.tolist():
                rows, cols = (4 * (w // 56) + torch.randint(-3, 4, (3,), generator=rng)), (4 * (w % 56) + torch.randint(-3, 4, (3,), generator=rng))
                x[plane // 64, :, rows.clamp(0, 223), cols.clamp(0, 223)] += 0.01 * torch.randn(3, 3, generator=rng)

        def shift(z, norm):
            before = norm.bias.clone()
            for c in range(z.shape[1]):
                v = z[:, c].flatten()
                v = v[v.abs() < 0.1].sort().values
                if len(v) == 0:
                    continue
                v = torch.cat([v[:1] - 1, v, v[-1:] + 1])
                middles, widths = (v[1:] + v[:-1]) / 2, v[1:] - v[:-1]
                middles[0], middles[-1] = v[1] - 2 * MARGIN, v[-2] + 2 * MARGIN
                middles[widths < 2.2 * MARGIN] = math.inf
                if v.abs().min() < 1.1 * MARGIN:
                    norm.bias[c] -= middles[middles.abs().argmin()]
            norm.bias.copy_(norm.bias.float())
            return z + (norm.bias - before)[:, None, None]

        hooks = at_relus(double, shift)
        double(x.double())
        for h in hooks:
            h.remove()
        net.load_state_dict({k: v.float() if k.endswith("bias") else net.state_dict()[k] for k, v in double.state_dict().items()})
    print(f"the nearest kink of a ReLU is {nearest_kink(net, x, True):.1e} from its input")


# Whole nets with the ecosystem's names.

class ResNetSmall(nn.Module):
    """Three stages of two basic blocks of 16, 32, 64 channels after a 3×3 convolution: 64 features."""
    def __init__(self, channels, classes):
        super().__init__()
        from torchvision.models.resnet import BasicBlock
        self.conv1, self.bn1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        cin = 16
        for i, (cout, stride) in enumerate(((16, 1), (32, 2), (64, 2))):
            down = None if stride == 1 else nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))
            setattr(self, f"layer{i + 1}", nn.Sequential(BasicBlock(cin, cout, stride, down), BasicBlock(cout, cout)))
            cin = cout
        self.fc = nn.Linear(64, classes)

    def features(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        return self.layer3(self.layer2(self.layer1(x))).mean((2, 3))

    def forward(self, x):
        return self.fc(self.features(x))


class ViT(nn.Module):
    """Pre-norm encoder blocks of PyTorch on patches and a class token; state_dict under timm's names by TIMM."""
    def __init__(self, channels, size, patch, width, depth, heads, hidden, epsilon, classes):
        super().__init__()
        self.embed = Embed(channels, size, patch, width)
        self.blocks = nn.ModuleList(encoder(width, heads, hidden, epsilon) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width, epsilon), nn.Linear(width, classes)

    def features(self, x):
        x = self.embed(x)
        for b in self.blocks:
            x = b(x)
        return self.norm(x)[:, 0]

    def forward(self, x):
        return self.head(self.features(x))


TIMM = substitute(("embed.cls_token", "cls_token"), ("embed.pos_embed", "pos_embed"), ("embed.proj.", "patch_embed.proj."), *ENCODER)
# torchvision's vit_b_16 under timm's names.
TORCHVISION = substitute(("class_token", "cls_token"), ("encoder.pos_embedding", "pos_embed"), ("conv_proj.", "patch_embed.proj."),
                         ("encoder.layers.encoder_layer_", "blocks."), (".ln_1.", ".norm1."), (".ln_2.", ".norm2."), ("self_attention.", "attn."),
                         ("mlp.0.", "mlp.fc1."), ("mlp.3.", "mlp.fc2."), ("encoder.ln.", "norm."), ("heads.head.", "head."), *ATTENTION)


def timm_order(names):
    """state_dict order of timm's ViT: token, positions, patches, blocks (norm1, attn, norm2, mlp), norm, head."""
    first = ["cls_token", "pos_embed", "patch_embed", "blocks", "norm", "head"]
    part = ["norm1", "attn", "norm2", "mlp"]
    def key(name):
        s = name.split(".")
        return (first.index(s[0]), int(s[1]), part.index(s[2])) if s[0] == "blocks" else (first.index(s[0]), 0, 0)
    return sorted(names, key=key)


def integers(name, n):
    """n integers in [−2¹⁵, 2¹⁵) that depend on the name: FNV-1a of it plus the index, through the finalizer of SplitMix64."""
    h = 0xCBF29CE484222325
    for c in name.encode():
        h = (h ^ c) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(h)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(48)).astype(np.int64) - 2**15


def numbers(name, shape):
    """Weights that need not be stored: k·2⁻¹⁵·s, exact in float32, in [−s, s). s is a power of two near √(3/in) of a weight with
    in inputs, 1/4 of a vector; what scales or is a variance is 1 plus that."""
    fan = math.prod(shape[1:]) if len(shape) > 1 and "token" not in name and "pos_embed" not in name else 0
    s = 2.0 ** round(math.log2(math.sqrt(3 / fan))) if fan else 0.25
    v = integers(name, math.prod(shape)) * (s / 2**15)
    scales = len(shape) == 1 and (name.endswith(".weight") or name.endswith(".running_var"))
    return torch.from_numpy((v + (1 if scales else 0)).astype(np.float32).reshape(shape))


def assign(module, rename):
    """Gives a net's parameters and buffers, which rename names, their numbers."""
    with torch.no_grad():
        for name, v in rename(uncounted(module.state_dict())).items():  # state_dict shares memory
            v.copy_(numbers(name, v.shape))
    return module


def digest(out, case, name, v, entries=8):
    """A tensor as its 2-norm, its largest magnitude and some of its entries, evenly spaced."""
    flat = v.detach().reshape(-1)
    step = max(1, len(flat) // entries)
    out[f"{case}/{name}"] = torch.cat([torch.stack([flat.double().norm().float(), flat.abs().max()]), flat[::step][:entries]])


def net_case(out, case, net, rename, x, labels, train):
    net.train(train)
    net.zero_grad()
    features = net.features(x)
    features.retain_grad()
    head = net.fc if hasattr(net, "fc") else net.head
    logits = head(features)
    loss = F.cross_entropy(logits, labels, label_smoothing=0.1)
    loss.backward()
    out.update({f"{case}/features": features, f"{case}/logits": logits, f"{case}/loss": loss, f"{case}/dfeatures": features.grad})
    for name, g in rename({k: p.grad for k, p in net.named_parameters()}).items():
        digest(out, case + "/d", name, g)
    if train:
        for name, b in uncounted(dict(net.named_buffers())).items():
            digest(out, case + "/after", name, b)


def nets():
    out = {}
    same = lambda state: state
    for case, make, rename, size, *images in (  # images of these numbers, in training and not, are of a hundred those furthest from kinks
        ("resnet-small", lambda: ResNetSmall(1, 10), same, (1, 28, 28), 59, 56),
        ("vit-small", lambda: ViT(1, (28, 28), 4, 64, 4, 4, 128, 1e-5, 10), TIMM, (1, 28, 28), 0, 0),
        ("resnet-small-8", lambda: ResNetSmall(3, 4), same, (3, 8, 8), 6, 6),
        ("vit-small-8", lambda: ViT(3, (8, 8), 4, 64, 4, 4, 128, 1e-5, 4), TIMM, (3, 8, 8), 0, 0),
    ):
        for train, number in zip((True, False), images):
            x, labels = numbers(f"images {number}", (3, *size)) * 8, torch.arange(3)
            name = f"{case}/{'train' if train else 'eval'}"
            out[name + "/images"] = torch.tensor(number)
            net_case(out, name, assign(make(), rename), rename, x, labels, train)
    return out


def names():
    """What the ecosystem calls the tensors of resnet18 and vit_base_patch16_224, with their shapes."""
    lines = []
    for kind, net, rename, order in (("resnet18", torchvision.models.resnet18(), lambda s: s, list),
                                     ("vit-b16", torchvision.models.vit_b_16(), TORCHVISION, timm_order)):
        state = rename(net.state_dict())
        lines += [" ".join([kind, name] + [str(d) for d in state[name].shape]) for name in order(uncounted(state))]
    return lines


# torchvision's nets whole.

def full(folder):
    os.makedirs(folder, exist_ok=True)
    for kind, make, rename, features in (
        ("resnet18", torchvision.models.resnet18, lambda s: s, lambda net: net.fc),
        ("vit-b16", torchvision.models.vit_b_16, TORCHVISION, lambda net: net.heads),
    ):
        torch.manual_seed(7)
        net = make()
        with torch.no_grad():
            for name, p in net.named_parameters():  # norms, biases, tokens as training leaves them, not as it finds them
                if p.dim() == 1:
                    p.add_(0.1 * torch.randn_like(p))
            for name, b in net.named_buffers():
                if name.endswith("running_mean"):
                    b.normal_(0, 0.3)
                elif name.endswith("running_var"):
                    b.uniform_(0.5, 2)
                elif name.endswith("num_batches_tracked"):
                    b.fill_(1000)
            for head in features(net).modules():
                if isinstance(head, nn.Linear):
                    head.weight.normal_(0, 0.02)
        x, labels = torch.randn(2, 3, 224, 224), torch.tensor([3, 501])
        if kind == "resnet18":
            avoid_kinks(net, x)
        state = rename({k: v.clone() for k, v in net.state_dict().items()})
        save(f"{folder}/{kind}.safetensors", state, {"format": "pt"})
        single, double = (reference(net, x, labels, rename, features, kind == "resnet18", t) for t in (torch.float32, torch.float64))
        worst = {}
        for name, v in single.items():
            w = double[name]
            group = name.split("/")[0] if "/" in name else name
            worst[group] = max(worst.get(group, 0), float((v.double() - w).abs().max() / w.abs().max()))
        single.update({"x": x, "labels": labels})
        save(f"{folder}/{kind}-reference.safetensors", single, {f"float64 {k}": f"{v:.2g}" for k, v in worst.items()})


def reference(net, x, labels, rename, features, norms, dtype):
    """Outputs without training, then outputs and all gradients of a training step."""
    state = {k: v.clone() for k, v in net.state_dict().items()}
    net, x = net.to(dtype), x.to(dtype)
    out, kept = {}, []
    hook = features(net).register_forward_pre_hook(lambda m, inputs: kept.append(inputs[0]))
    with torch.no_grad():
        out["eval-logits"] = net.eval()(x)
    out["eval-features"] = kept.pop()
    net.train(norms)
    net.zero_grad()
    out["train-logits"] = net(x)
    out["train-features"] = kept.pop()
    loss = F.cross_entropy(out["train-logits"], labels, label_smoothing=0.1)
    loss.backward()
    out["train-loss"] = loss.reshape(1)
    for name, g in rename({k: p.grad for k, p in net.named_parameters()}).items():
        out["d/" + name] = g
    for name, b in uncounted(dict(net.named_buffers())).items():
        if norms:
            out["after/" + name] = b.clone()
    hook.remove()
    out = {k: v.detach().clone() for k, v in out.items()}
    net.to(torch.float32).load_state_dict(state)
    net.zero_grad(set_to_none=True)
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) == 3 and sys.argv[1] == "--full":
        full(sys.argv[2])
    elif len(sys.argv) == 1:
        about = {"made by": f"fixtures.py with PyTorch {torch.__version__} and torchvision {torchvision.__version__}"}
        save(HERE + "/layers.safetensors", layers(), about)
        save(HERE + "/nets.safetensors", nets(), about)
        with open(HERE + "/names.txt", "w") as f:
            f.write("\n".join(names()) + "\n")
    else:
        sys.exit(__doc__)
