# SPDX-License-Identifier: MIT
"""`atomtrack score --vot` against the VOT toolkit on the same stored results. Run by ctest, and skipped where Python lacks the package vot-toolkit;
`python3 test_vot_toolkit.py ATOMTRACK` with one that has it. The toolkit is only run as a program: `python3 -m vot`."""
import importlib.util
import json
import math
import os
import random
import subprocess
import sys
import tempfile

SKIPPED = 77
ATOMTRACK = sys.argv[1]
WIDTH, HEIGHT, LOW, HIGH, SKIP = 160, 120, 20, 60, 5
LENGTHS = {"long": 130, "middle": 90, "short": 60, "brief": 25, "tiny": 12}
REPETITIONS = 3
STACK = f"""title: tiny
experiments:
  baseline:
    type: supervised
    repetitions: {REPETITIONS}
    skip_initialize: {SKIP}
    analyses:
      - type: supervised_average_ar
        sensitivity: 30
      - type: supervised_eao_score
        low: {LOW}
        high: {HIGH}
      - type: supervised_eao_curve
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def join(numbers):
    return ",".join(f"{number:.4f}" for number in numbers)


def rotated_box(frame, index):
    """Four corners of a box that wanders, turns and now and then leaves the image."""
    angle, x, y = 0.01 * frame * (index + 1), 80 + 70 * math.cos(0.03 * frame + index), 60 + 45 * math.sin(0.02 * frame)
    width, height, corners = 30 + 3 * index, 20, []
    for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        a, b = u * width / 2, v * height / 2
        corners += [x + a * math.cos(angle) - b * math.sin(angle), y + a * math.sin(angle) + b * math.cos(angle)]
    return corners


def stored_run(truth, failures, chance, polygons):
    """Result lines: boxes around the annotation, or its corners, with noise."""
    lines, start = [], 0
    for frame, corners in enumerate(truth):
        if frame < start:
            lines.append("0")
        elif frame == start:
            lines.append("1")
        elif frame in failures:
            lines.append("2")
            start = frame + SKIP
        elif polygons:
            lines.append(join(number + chance.gauss(0, 2) for number in corners))
        else:
            left, top, right, bottom = min(corners[::2]), min(corners[1::2]), max(corners[::2]), max(corners[1::2])
            lines.append(join(number + chance.gauss(0, 2) for number in (left, top, right - left, bottom - top)))
    return lines


def make_workspace(folder, seed):
    from PIL import Image

    chance = random.Random(seed)
    for index, (name, length) in enumerate(LENGTHS.items()):
        sequence = os.path.join(folder, "sequences", name)
        truth = [rotated_box(frame, index) for frame in range(length)]
        write(os.path.join(sequence, "groundtruth.txt"), "\n".join(map(join, truth)) + "\n")
        write(os.path.join(sequence, "sequence"), f"channels.color=color/%08d.jpg\nformat=default\nfps=30\nheight={HEIGHT}\nwidth={WIDTH}\nlength={length}\nname={name}\n")
        os.makedirs(os.path.join(sequence, "color"))
        for frame in range(length):
            Image.new("RGB", (WIDTH, HEIGHT)).save(os.path.join(sequence, "color", f"{frame + 1:08d}.jpg"))
        for repetition in range(REPETITIONS):
            failures = set(chance.sample(range(2, length), (index + repetition) % 3))
            lines = stored_run(truth, failures, chance, repetition == 1)
            write(os.path.join(folder, "results", "stored", "baseline", name, f"{name}_{repetition + 1:03d}.txt"), "\n".join(lines) + "\n")
    write(os.path.join(folder, "sequences", "list.txt"), "\n".join(LENGTHS) + "\n")
    write(os.path.join(folder, "stack.yaml"), STACK)
    write(os.path.join(folder, "config.yaml"), "registry:\n- ./trackers.ini\nstack: stack.yaml\n")
    write(os.path.join(folder, "trackers.ini"), "[stored]\nlabel = stored\nprotocol = trax\ncommand = none\n")


def compare(seed):
    with tempfile.TemporaryDirectory() as folder:
        make_workspace(folder, seed)
        toolkit = subprocess.run([sys.executable, "-m", "vot", "analysis", "--workspace", folder, "--format", "json", "--name", "toolkit", "stored"], capture_output=True, text=True, timeout=300)
        path = os.path.join(folder, "analysis", "toolkit.json")
        assert os.path.exists(path), toolkit.stdout + toolkit.stderr
        with open(path) as file:
            average, score, curve = json.load(file)["results"]["baseline"]["results"]
        accuracy, failures, (reliability, _), _ = average[0]
        ours = os.path.join(folder, "ours.json")
        subprocess.run([ATOMTRACK, "score", "--vot", os.path.join(folder, "results", "stored", "baseline"), "--sequences", os.path.join(folder, "sequences"),
                        "--low", str(LOW), "--high", str(HIGH), "--json", ours], check=True, stdout=subprocess.DEVNULL, timeout=300)
        with open(ours) as file:
            measures = json.load(file)
    # The toolkit keeps single precision in the curve; everything else is double.
    expected = [("accuracy", accuracy, 1e-12), ("failures", failures, 1e-12), ("reliability", reliability, 1e-12), ("expected_average_overlap", score[0][0], 1e-6)]
    bad = [f"{name}: {measures[name]}, the toolkit has {value}" for name, value, tolerance in expected if not abs(measures[name] - value) <= tolerance]
    points = [abs(a - b) for a, b in zip(measures["expected_overlap"], curve[0][0])]
    if len(measures["expected_overlap"]) != len(curve[0][0]) or not max(points) <= 1e-6:
        bad.append(f"the curve differs by up to {max(points)}, {len(measures['expected_overlap'])} and {len(curve[0][0])} points")
    print(f"seed {seed}: accuracy {accuracy:.6f}, failures {failures:.6f}, EAO {score[0][0]:.6f}: " + ("; ".join(bad) or "the same"))
    return not bad


if importlib.util.find_spec("vot") is None:
    print("skipped: no package vot-toolkit")
    sys.exit(SKIPPED)
results = [compare(seed) for seed in (1, 2, 3)]
sys.exit(0 if all(results) else 1)
