#!/usr/bin/env python3
"""Writes the small pictures of this folder and what Pillow and torchvision make of them.

    python3 pillow.py        (Pillow 9.4, torchvision 0.14)

For every picture NAME.png or NAME.jpg there is NAME.SETTINGS.want.png: the picture in RGB after torchvision's transforms. SETTINGS are
RESIZE-CROP-INTERPOLATION, or squash-CROP-INTERPOLATION. No picture is anybody's photograph: each is waves, edges and noise.
"""

import os

import numpy as np
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(1)
modes = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def scene(width, height, noise=10):
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / a + y / b) for a, b in ((5, 9), (11, -4), (-3, 17))]
    m = np.stack(waves, -1) + rng.normal(0, noise, (height, width, 3))
    m[height // 4 : height // 2, width // 5 : width // 2] = (250, 20, 60)
    m[height // 2 :, width // 2 : width // 2 + 3] = (0, 255, 255)
    return Image.fromarray(np.clip(m, 0, 255).astype(np.uint8))


def want(name, resize, crop, interpolation):
    picture = Image.open(os.path.join(here, name)).convert("RGB")
    mode = modes[interpolation]
    if resize == "squash":
        steps = [transforms.Resize((crop, crop), mode)]
    else:
        steps = [transforms.Resize(resize, mode), transforms.CenterCrop(crop)]
    out = transforms.Compose(steps)(picture)
    stem = name.replace(".", "-")
    out.save(os.path.join(here, f"{stem}.{resize}-{crop}-{interpolation}.want.png"))


def save(name, picture, *settings, **options):
    picture.save(os.path.join(here, name), **options)
    for s in settings:
        want(name, *s)


usual = (32, 28, "bilinear")
save("wide.png", scene(61, 39), usual, (33, 28, "bilinear"), (32, 28, "bicubic"), ("squash", 28, "bilinear"), ("squash", 28, "bicubic"))
save("tall.png", scene(36, 71), usual, (33, 28, "bicubic"))
save("little.png", scene(11, 9), usual, (32, 28, "bicubic"))
save("line.png", scene(1, 60), (8, 8, "bilinear"))
save("exact.png", scene(32, 32), usual)
save("grey.png", scene(50, 40).convert("L"), usual)
save("palette.png", scene(50, 40).quantize(32), usual)
alpha = scene(50, 40).convert("RGBA")
alpha.putalpha(Image.fromarray(rng.integers(0, 256, (40, 50), dtype=np.uint8)))
save("alpha.png", alpha, usual)

smooth = (32, 28, "bilinear")
photo = scene(90, 67, noise=4)
save("full.jpg", photo, smooth, quality=80, subsampling=0)
save("half.jpg", photo, smooth, quality=80, subsampling=1)
save("quarter.jpg", photo, smooth, quality=80, subsampling=2)
save("progressive.jpg", photo, smooth, quality=80, subsampling=2, progressive=True)
save("grey.jpg", photo.convert("L"), smooth, quality=80)
save("cmyk.jpg", photo.convert("CMYK"), smooth, quality=80)
turned = Image.Exif()
turned[0x0112] = 6  # to be shown turned by a quarter
save("turned.jpg", photo, smooth, quality=80, subsampling=2, exif=turned)
