# SPDX-License-Identifier: MIT
"""The commands `evaluate` and `ablate` from outside. Run by ctest; `python3 test_evaluate.py ATOMTRACK`."""
import csv
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree
import zipfile
import zlib

import numpy as np

ATOMTRACK = sys.argv[1]


def write_bmp(path, pixels):
    """24 bits, bottom row first; the width must be a multiple of four."""
    rows = pixels.astype("u1")[::-1, :, ::-1].tobytes()
    with open(path, "wb") as file:
        file.write(struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54 + len(rows), 0, 54, 40, pixels.shape[1], pixels.shape[0], 1, 24, 0, len(rows), 2835, 2835, 0, 0) + rows)


def frame(number, width=96, height=72):
    """A textured target that moves a pixel to the right per frame, and its box."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([40 + x % 90, 90 + y % 60, 120 + 0 * x], -1)
    left, top = 30 + number, 20
    inside = (x >= left) & (x < left + 28) & (y >= top) & (y < top + 24)
    texture = np.stack([60 + 150 * ((x - left) // 4 + (y - top) // 3) % 2, 200 - 4 * ((x - left) % 30), 30 + 9 * ((y - top) % 20)], -1)
    return np.where(inside[..., None], texture, image), (left, top, 28, 24)


def lines(boxes):
    return "".join("%g,%g,%g,%g\n" % box for box in boxes)


def png_pixels(data):
    """RGB of an 8-bit PNG without interlacing."""
    position, packed = 8, b""
    while position < len(data):
        size, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + size]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        position += 12 + size
    channels = {2: 3, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * channels)
    image = np.zeros((height, width, channels), np.int64)
    above = np.zeros((width, channels), np.int64)
    for y in range(height):
        filtered = rows[y, 1:].reshape(width, channels).astype(np.int64)
        kind = rows[y, 0]
        if kind in (0, 2):
            line = (filtered + (above if kind == 2 else 0)) % 256
        elif kind == 1:
            line = np.cumsum(filtered, 0) % 256
        else:
            line = np.zeros_like(above)
            left = upper_left = np.zeros(channels, np.int64)
            for x in range(width):
                up = above[x]
                if kind == 3:
                    guess = (left + up) // 2
                else:
                    p = left + up - upper_left
                    a, b, c = abs(p - left), abs(p - up), abs(p - upper_left)
                    guess = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, upper_left))
                left = line[x] = (filtered[x] + guess) % 256
                upper_left = up
        image[y] = above = line
    return image[..., :3]


class Evaluate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="atomtrack-evaluate-")
        self.root, self.output = self.folder + "/data", self.folder + "/out"
        for name, count in (("Left", 8), ("Right", 6)):
            os.makedirs(f"{self.root}/{name}/img")
            boxes = []
            for i in range(count):
                pixels, box = frame(i)
                write_bmp(f"{self.root}/{name}/img/{i + 1:04d}.bmp", pixels)
                boxes.append((box[0] + 1, box[1] + 1, box[2], box[3]))
            with open(f"{self.root}/{name}/groundtruth_rect.txt", "w") as file:
                file.write(lines(boxes))

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_it(self, *arguments, status=0):
        done = subprocess.run([ATOMTRACK, *arguments], capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def evaluate(self, *arguments, status=0, output=None):
        return self.run_it("evaluate", self.root, "--output", output or self.output, *arguments, status=status)

    def boxes_of_others(self, **changes):
        """A folder of somebody else's boxes: the annotations, changed."""
        folder = self.folder + "/others"
        os.makedirs(folder, exist_ok=True)
        for name in ("Left", "Right"):
            with open(f"{self.root}/{name}/groundtruth_rect.txt") as file:
                text = file.read()
            with open(f"{folder}/{name}.txt", "w") as file:
                file.write(changes.get(name, text))
        return folder

    def summary(self, output=None):
        with open((output or self.output) + "/summary.json") as file:
            return json.load(file)

    def test_perfect_boxes_from_elsewhere_score_one_and_the_report_is_written(self):
        self.evaluate("--trackers", "others=" + self.boxes_of_others())
        others = self.summary()["trackers"]["others"]
        # Of the 21 thresholds an overlap of 1 exceeds 20: overlap > 1 is never true.
        self.assertAlmostEqual(others["auc"], 20 / 21)
        self.assertEqual((others["op50"], others["op75"], others["precision"]), (1, 1, 1))
        self.assertEqual(set(others["per_sequence"]), {"Left", "Right"})
        with open(self.output + "/report.html") as file:
            page = file.read()
        self.assertIn("others", page)
        xml.etree.ElementTree.fromstring(page)  # every element is closed, every name escaped
        with open(self.output + "/summary.csv") as file:
            self.assertGreater(len(list(csv.reader(file))), 2)

    def test_bad_boxes_from_elsewhere_are_scored_by_the_stated_rules(self):
        folder = self.boxes_of_others(Left=lines([(31, 21, 28, 24)] * 3), Right=lines([(31, 21, 28, 24)] * 5 + [(float("nan"),) * 4] + [(1, 1, 1, 1)]))
        done = self.evaluate("--trackers", "others=" + folder)
        self.assertIn("remark: Left: others, seed 0: 3 boxes for 8 frames; the missing ones count as empty", done.stderr)
        self.assertIn("remark: Right: others, seed 0: 7 boxes for 6 frames; those beyond the last frame are dropped", done.stderr)
        self.assertIn("remark: Right: others, seed 0: 1 boxes are not numbers; each repeats the one before", done.stderr)
        os.remove(folder + "/Left.txt")
        done = self.evaluate("--trackers", "others=" + folder)
        self.assertIn("remark: Left: others: left out: ", done.stderr)
        self.assertEqual(set(self.summary()["trackers"]["others"]["per_sequence"]), {"Right"})

    def test_runs_are_stored_in_the_annotations_coordinates_and_not_repeated(self):
        self.evaluate("--trackers", "multi-scale", "--jobs", "2")
        path = self.output + "/results/multi-scale/0/Left.txt"
        with open(path) as file:
            rows = [tuple(map(float, line.split(","))) for line in file]
        self.assertEqual(len(rows), 8)
        self.assertEqual(rows[0], (31, 21, 28, 24))
        for what in ("time", "score"):
            with open(path.replace(".txt", f"_{what}.txt")) as file:
                self.assertEqual(len(file.read().split()), 8)
        before = os.stat(path).st_mtime_ns
        summary = self.summary()
        self.assertGreater(summary["trackers"]["multi-scale"]["auc"], 0.5)
        done = self.evaluate("--trackers", "multi-scale")
        self.assertEqual(os.stat(path).st_mtime_ns, before)
        self.assertNotIn("frames/s\n", done.stderr)
        self.assertEqual(self.summary()["trackers"], summary["trackers"])
        # One missing result is one run.
        os.remove(path)
        done = self.evaluate("--trackers", "multi-scale")
        self.assertIn("[1/1] multi-scale, seed 0, Left: 8 frames", done.stderr)

    def test_shards_make_all_runs_once_and_merge_into_one_report(self):
        parts = [self.folder + "/part1", self.folder + "/part2"]
        for i, part in enumerate(parts):
            self.evaluate("--trackers", "kcf,mil", "--shard", f"{i + 1}/2", output=part)
            self.assertFalse(os.path.exists(part + "/report.html"))
        counts = [sum(name in ("Left.txt", "Right.txt") for _, _, names in os.walk(part) for name in names) for part in parts]
        self.assertEqual(counts, [2, 2])
        self.evaluate("--trackers", "kcf,mil", "--merge", *parts)
        trackers = self.summary()["trackers"]
        self.assertEqual(set(trackers), {"kcf", "mil"})
        for tracker in trackers.values():
            self.assertEqual(set(tracker["per_sequence"]), {"Left", "Right"})

    def test_a_frame_that_cannot_be_read_fails_that_run_alone(self):
        with open(self.root + "/Left/img/0004.bmp", "wb") as file:
            file.write(b"BM")
        done = self.evaluate("--trackers", "kcf", status=1)
        self.assertIn("kcf, seed 0, Left: failed: ", done.stderr)
        self.assertIn("0004.bmp", done.stderr)
        self.assertEqual(set(self.summary()["trackers"]["kcf"]["per_sequence"]), {"Right"})

    def test_an_interrupted_evaluation_goes_on(self):
        arguments = [ATOMTRACK, "evaluate", self.root, "--output", self.output, "--trackers", "multi-scale", "--seeds", "6"]
        started = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True)
        while not os.path.exists(self.output + "/results/multi-scale/0/Left.txt"):
            self.assertIsNone(started.poll())
            time.sleep(0.05)
        os.killpg(started.pid, 15)
        started.communicate()
        done = self.evaluate("--trackers", "multi-scale", "--seeds", "6")
        self.assertNotIn("/12]", done.stderr)
        self.assertEqual(self.summary()["trackers"]["multi-scale"]["seeds"], 6)

    def test_hidden_annotations_make_a_submission(self):
        shutil.move(self.root, self.folder + "/frames")
        os.makedirs(self.root + "/TEST/frames/video")
        os.makedirs(self.root + "/TEST/anno")
        for i in range(3):  # the reader goes by the contents
            write_bmp(f"{self.root}/TEST/frames/video/{i}.jpg", frame(i)[0])
        with open(self.root + "/TEST/anno/video.txt", "w") as file:
            file.write("30,20,28,24\n")
        self.evaluate("--layout", "trackingnet", "--trackers", "kcf")
        with zipfile.ZipFile(self.output + "/submission_kcf.zip") as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(archive.namelist(), ["video.txt"])
            self.assertEqual(len(archive.read("video.txt").split()), 3)
        self.assertFalse(os.path.exists(self.output + "/report.html"))

    def rename_for(self, images, digits, boxes_file, as_text):
        """The same sequences in another benchmark's layout."""
        for name in ("Left", "Right"):
            folder = f"{self.root}/{name}"
            os.makedirs(f"{folder}/{images}", exist_ok=True)
            for file in sorted(os.listdir(folder + "/img")):
                os.rename(f"{folder}/img/{file}", f"{folder}/{images}/{int(file[:4]):0{digits}d}.bmp")
            os.rmdir(folder + "/img")
            with open(folder + "/groundtruth_rect.txt") as file:
                boxes = [tuple(map(float, line.split(","))) for line in file]
            os.remove(folder + "/groundtruth_rect.txt")
            with open(f"{folder}/{boxes_file}", "w") as file:
                file.write("".join(as_text(x - 1, y - 1, w, h) for x, y, w, h in boxes))

    def table(self, title):
        (found,) = [table for table in self.summary()["tables"] if table["title"] == title]
        return {row[0]: dict(zip(found["header"][1:], row[1:])) for row in found["rows"]}

    def test_vot_is_run_supervised_too(self):
        self.rename_for("color", 8, "groundtruth.txt", lambda x, y, w, h: f"{x},{y},{x + w},{y},{x + w},{y + h},{x},{y + h}\n")
        # The target is somewhere else in the end: a failure, after which five frames are skipped.
        with open(self.root + "/Left/groundtruth.txt") as file:
            rows = file.read().splitlines()
        with open(self.root + "/Left/groundtruth.txt", "w") as file:
            file.write("\n".join(rows[:2] + ["80,60,90,60,90,70,80,70"] * 6) + "\n")
        self.evaluate("--layout", "vot2018", "--trackers", "mil")
        with open(self.output + "/supervised/mil/0/Left/Left_001.txt") as file:
            lines_of_left = file.read().split()
        self.assertEqual(lines_of_left[0], "1")
        self.assertEqual(lines_of_left[1].count(","), 3)
        self.assertEqual(lines_of_left[2:], ["2", "0", "0", "0", "0", "1"])
        row = self.table("VOT, supervised experiment")["mil"]
        self.assertEqual(row["failures per 100"], "7.143")  # one in 14 frames
        with open(self.output + "/report.html") as file:
            self.assertIn("VOT, supervised experiment", file.read())

    def test_got10k_has_measures_of_its_own(self):
        self.rename_for(".", 8, "groundtruth.txt", lambda x, y, w, h: f"{x},{y},{w},{h}\n")
        with open(self.root + "/Left/cover.label", "w") as file:
            file.write("8\n" * 7 + "0\n")
        self.evaluate("--layout", "got10k", "--trackers", "mil")
        row = self.table("GOT-10k's measures")["mil"]
        self.assertGreater(float(row["AO"]), 0.5)
        self.assertTrue(os.path.exists(self.output + "/results/mil/0/Left/Left_001.txt"))

    def test_refusals_say_what_was_expected(self):
        for arguments, words in (
            (["--trackers", "siamfc"], "tracker 'siamfc': expected atom"),
            (["--trackers", "kcf,kcf"], "named twice"),
            (["--trackers", "x=/nowhere"], "neither"),
            (["--sequences", "Middle"], "there is no sequence Middle"),
            (["--layout", "otb100"], "layout 'otb100': expected otb"),
            (["--shard", "3/2"], "expected I/N"),
        ):
            done = self.evaluate(*arguments, status=2)
            self.assertIn(words, done.stderr)

    @unittest.skipUnless(shutil.which("chromium") or shutil.which("google-chrome"), "there is no Chromium")
    def test_the_report_in_a_browser(self):
        self.evaluate("--trackers", "kcf,others=" + self.boxes_of_others())
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        for width in (1280, 400):
            picture = f"{self.folder}/{width}.png"
            done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", f"--window-size={width},2400",
                                   f"--user-data-dir={self.folder}/profile", f"--screenshot={picture}", f"file://{self.output}/report.html"],
                                  capture_output=True, text=True, timeout=120)
            self.assertNotIn("CONSOLE", done.stderr)
            with open(picture, "rb") as file:
                pixels = png_pixels(file.read())
            for colour in ((0, 114, 178), (213, 94, 0)):  # the first two lines of the plots
                self.assertGreater(int((np.abs(pixels.astype(int) - colour).sum(-1) < 12).sum()), 100, f"{colour} at {width} pixels")

    def test_ablate_traces_the_convergence(self):
        output = self.folder + "/ablation"
        self.run_it("ablate", self.root, "--output", output, "--sequences", "Right")
        with open(output + "/summary.json") as file:
            self.assertEqual(set(json.load(file)["trackers"]), {"atom", "multi-scale", "no-classifier", "gd", "gd++", "no-hard-negatives"})
        with open(output + "/convergence.csv") as file:
            rows = list(csv.DictReader(file))
        losses = {method: [float(row["loss"]) for row in rows if row["method"] == method] for method in ("Algorithm 1", "gradient descent")}
        calls = [int(row["backprop_calls"]) for row in rows if row["method"] == "Algorithm 1"]
        self.assertEqual(calls[:3] + calls[10:13] + calls[-1:], [0, 3, 5, 21, 24, 26, 126])
        self.assertEqual(losses["Algorithm 1"][0], losses["gradient descent"][0])
        self.assertLess(losses["Algorithm 1"][-1], losses["gradient descent"][-1])
        self.assertTrue(os.path.exists(output + "/convergence.svg"))


unittest.main(argv=sys.argv[:1], verbosity=2)
