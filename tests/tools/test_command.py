# SPDX-License-Identifier: MIT
"""The command as a user meets it. Run by ctest; `python3 test_command.py ATOMTRACK CONVERTER`."""
import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

import h5py
import numpy as np

ATOMTRACK, CONVERTER = sys.argv[1], sys.argv[2]


def write_ppm(path, pixels):
    """8- or 16-bit, grey [H,W] or RGB [H,W,3]."""
    kind = b"P5" if pixels.ndim == 2 else b"P6"
    top = b"65535" if pixels.dtype == np.uint16 else b"255"
    with open(path, "wb") as file:
        file.write(kind + b"\n%d %d\n" % (pixels.shape[1], pixels.shape[0]) + top + b"\n")
        file.write(pixels.astype(">u2" if pixels.dtype == np.uint16 else "u1").tobytes())


def write_rgba_png(path, pixels):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + pixels[y].tobytes() for y in range(height))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write_text(where, name, text):
    where.attrs.create(name, text, dtype=h5py.string_dtype("utf-8", len(text)))


def picture(number, width=96, height=72):
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([40 + x % 90, 90 + y % 60, 120 + 0 * x], -1)
    left, top = 30 + number, 20 + number // 2
    inside = (x >= left) & (x < left + 28) & (y >= top) & (y < top + 24)
    texture = np.stack([60 + 150 * ((x - left) // 4 + (y - top) // 3) % 2, 200 - 4 * ((x - left) % 30), 30 + 9 * ((y - top) % 20)], -1)
    return np.where(inside[..., None], texture, image).astype(np.uint8)


def write_backbone(path):
    """A ResNet-18 with small random weights, in the converter's .npz form."""
    random = np.random.default_rng(3)
    widths, arrays = [64, 64, 128, 256], {}

    def convolution(name, outputs, inputs, size):
        arrays[name] = random.normal(0, np.sqrt(2 / (inputs * size * size)), (outputs, inputs, size, size)).astype("f4")

    def norm(name, channels):
        for leaf, value in (("weight", 0.9), ("bias", 0.05), ("running_mean", 0.0), ("running_var", 1.0)):
            arrays[f"{name}.{leaf}"] = np.full(channels, value, "f4")

    convolution("conv1.weight", 64, 3, 7)
    norm("bn1", 64)
    for stage in (1, 2, 3):
        for block in (0, 1):
            inputs = widths[stage - 1] if block == 0 else widths[stage]
            name = f"layer{stage}.{block}"
            convolution(name + ".conv1.weight", widths[stage], inputs, 3)
            convolution(name + ".conv2.weight", widths[stage], widths[stage], 3)
            norm(name + ".bn1", widths[stage])
            norm(name + ".bn2", widths[stage])
            if block == 0 and stage > 1:
                convolution(name + ".downsample.0.weight", widths[stage], inputs, 1)
                norm(name + ".downsample.1", widths[stage])
    np.savez(path, **arrays)


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.weights = os.path.join(cls.shared.name, "weights.h5")
        npz = os.path.join(cls.shared.name, "weights.npz")
        write_backbone(npz)
        subprocess.run([sys.executable, CONVERTER, npz, cls.weights], check=True, stdout=subprocess.DEVNULL)
        cls.frames = os.path.join(cls.shared.name, "frames")
        os.mkdir(cls.frames)
        for number in range(12):  # 9 before 10: the order is natural, not alphabetical
            write_ppm(os.path.join(cls.frames, f"{number}.ppm"), picture(number))

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_command(self, *arguments, environment=None):
        env = {k: v for k, v in os.environ.items() if k not in ("ATOMTRACK_WEIGHTS", "DISPLAY", "WAYLAND_DISPLAY")}
        env.update(environment or {})
        return subprocess.run([ATOMTRACK, *arguments], capture_output=True, text=True, env=env, timeout=300)

    def track(self, source, *arguments, box="30,20,28,24", weights=None):
        return self.run_command("track", source, "--box", box, "--weights", weights or self.weights, "--variant", "multi-scale", *arguments)

    def assert_refused(self, result, *words):
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("atomtrack: "), result.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def assert_nothing_left(self):
        self.assertEqual([name for name in os.listdir(self.folder.name) if name.startswith("out") or ".partial" in name], [])

    def test_help_teaches(self):
        result = self.run_command("--help")
        self.assertEqual(result.returncode, 0)
        for word in ("track", "bench", "gradcheck", "info", "Examples"):
            self.assertIn(word, result.stdout)
        self.assertIn("--box", self.run_command("track", "--help").stdout)
        self.assertEqual(self.run_command("--version").returncode, 0)

    def test_bad_usage(self):
        self.assert_refused(self.run_command())
        self.assert_refused(self.run_command("fly"))
        self.assert_refused(self.track(self.frames, "--fast"), "--fast")
        self.assert_refused(self.track(self.frames, "--threads", "-1"), "threads")
        self.assert_refused(self.track(self.frames, "--preset", "quick"), "quick", "released")
        self.assert_refused(self.run_command("track", self.frames, "--box", "1,2,3,4", "--weights", self.weights, "--variant", "best"), "best", "multi-scale")
        self.assert_refused(self.track(self.frames, "--device", "tpu"), "tpu", "cpu")
        self.assert_refused(self.track(self.frames, "--device", "cuda:99"), "cuda:99")
        self.assert_refused(self.run_command("track", self.frames, "--weights", self.weights), "--box", "--select")
        self.assert_refused(self.run_command("track", self.frames, "--select", "--weights", self.weights, "--variant", "multi-scale"), "display")

    def test_bad_boxes(self):
        for box in ("1,2,3", "1,2,3,4,5", "a,b,c,d", "1;2;3;4", "", "nan,1,5,5", "1,1,inf,5", "5,5,0,5", "5,5,5,-1", "500,5,20,20", "-50,5,20,20"):
            result = self.track(self.frames, "--boxes", self.path("out.txt"), box=box)
            self.assert_refused(result)
            self.assert_nothing_left()

    def test_bad_sources(self):
        with open(self.path("empty.mp4"), "wb"):
            pass
        with open(self.path("text.mp4"), "w") as file:
            file.write("not a video\n" * 100)
        os.mkdir(self.path("nothing"))
        os.mkdir(self.path("broken"))
        with open(self.path("broken/0.png"), "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\nrubbish")
        for source in ("missing.mp4", "empty.mp4", "text.mp4", "nothing", "broken", "frame_%04d.png", "frame_%s.png"):
            self.assert_refused(self.track(self.path(source), "--boxes", self.path("out.txt")), source.split("/")[0])
            self.assert_nothing_left()
        self.assert_refused(self.track(self.frames, "--start-frame", "50"), "12")

    def test_bad_weights(self):
        with open(self.weights, "rb") as file:
            whole = file.read()
        for name, content in (("empty.h5", b""), ("text.h5", b"hello"), ("part.h5", whole[: len(whole) // 2]), ("head.h5", whole[:100])):
            with open(self.path(name), "wb") as file:
                file.write(content)
            self.assert_refused(self.track(self.frames, weights=self.path(name)), name)
            self.assert_refused(self.run_command("info", self.path(name)), name)
        self.assert_refused(self.track(self.frames, weights=self.path("missing.h5")), "missing.h5")
        # Weights that are no ResNet-18: all that is wrong, in one line.
        wrong = self.path("wrong.h5")
        with h5py.File(self.weights) as source, h5py.File(wrong, "w", userblock_size=512) as file:
            for name, value in source.attrs.items():
                write_text(file, name, value) if isinstance(value, str) else file.attrs.create(name, value)
            for name in source:
                if "layer1.0.conv1" not in name:
                    data = source[name][()][:32] if name.endswith("layer3.1.bn1.bias") else source[name][()]
                    write_text(file.create_dataset(name, data=data), "sha256", hashlib.sha256(data.tobytes()).hexdigest())
        self.assert_refused(self.run_command("info", wrong), "wrong.h5", "is not a weights file")
        with open(wrong, "r+b") as file:
            body = file.read()[512:]
            file.seek(0)
            file.write(b"atomtrack-weights\nsha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n")
        problems = ("layer1.0.conv1.weight: missing, expected [64,64,3,3]", "layer3.1.bn1.bias: shape [32], expected [256]")
        self.assert_refused(self.track(self.frames, "--boxes", self.path("out.txt"), weights=wrong), "wrong.h5", *problems)
        self.assert_nothing_left()
        info = self.run_command("info", wrong)
        self.assertEqual(info.returncode, 1, info.stderr)
        for problem in problems:
            self.assertIn(problem, info.stdout)
        self.assert_refused(self.run_command("track", self.frames, "--box", "30,20,28,24", "--weights", self.weights), "IoU predictor", "multi-scale")

    def test_bad_outputs(self):
        for option in ("--boxes", "--json", "--video", "--sheet"):
            self.assert_refused(self.track(self.frames, option, self.path("no/such/folder/out.mp4")), "no/such/folder")
            self.assert_refused(self.track(self.frames, option, self.folder.name), self.folder.name)
        self.assert_refused(self.track(self.frames, "--boxes", "/dev/full", "--max-frames", "2"), "/dev/full")
        self.assert_refused(self.track(self.frames, "--sheet", self.path("out.xyz"), "--max-frames", "2"), "out.xyz")
        self.assert_nothing_left()

    def test_outputs(self):
        result = self.track(self.frames, "--boxes", self.path("boxes.txt"), "--json", self.path("run.json"), "--video", self.path("video.mp4"), "--sheet", self.path("sheet.png"), "--frames", self.path("png"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")  # no progress bar in a pipe
        with open(self.path("boxes.txt")) as file:
            lines = file.read().splitlines()
        self.assertEqual(len(lines), 12)
        self.assertEqual(lines[0], "30.000,20.000,28.000,24.000")
        for line in lines:
            self.assertRegex(line, r"^-?\d+\.\d{3}(,-?\d+\.\d{3}){3}$")
        with open(self.path("run.json")) as file:
            run = json.load(file)
        self.assertEqual(len(run["frames"]), 12)
        self.assertEqual(set(run["frames"][3]), {"frame", "box", "score", "state", "milliseconds"})
        self.assertEqual(run["summary"]["frames"], 12)
        for key in ("frames_per_second", "first_frame_ms", "peak_memory_mb"):
            self.assertGreater(run["summary"][key], 0)
        self.assertEqual(sorted(os.listdir(self.path("png"))), [f"{i:06d}.png" for i in range(12)])
        self.assertGreater(os.path.getsize(self.path("video.mp4")), 500)
        self.assertGreater(os.path.getsize(self.path("sheet.png")), 500)
        self.assertEqual([name for name in os.listdir(self.folder.name) if "partial" in name], [])
        again = self.track(self.frames, "--boxes", self.path("again.txt"))
        self.assertEqual(again.returncode, 0)
        with open(self.path("again.txt")) as file:
            self.assertEqual(file.read().splitlines(), lines)

    def test_sources(self):
        pattern = self.track(os.path.join(self.frames, "%d.ppm"), "--boxes", self.path("a.txt"), "--start-frame", "2", "--max-frames", "4", box="32,21,28,24")
        self.assertEqual(pattern.returncode, 0, pattern.stderr)
        with open(self.path("a.txt")) as file:
            self.assertEqual(len(file.read().splitlines()), 4)
        environment = self.run_command("track", self.frames, "--box", "30,20,28,24", "--variant", "multi-scale", "--max-frames", "2", environment={"ATOMTRACK_WEIGHTS": self.weights})
        self.assertEqual(environment.returncode, 0, environment.stderr)

    def test_unusual_images(self):
        os.mkdir(self.path("mixed"))
        grey = picture(1)[..., 0]
        write_ppm(self.path("mixed/0.ppm"), picture(0))
        write_ppm(self.path("mixed/1.pgm"), np.ascontiguousarray(grey))
        write_ppm(self.path("mixed/2.ppm"), picture(2).astype(np.uint16) * 257)
        write_rgba_png(self.path("mixed/3.png"), np.dstack([picture(3), np.full((72, 96), 255, np.uint8)]))
        write_ppm(self.path("mixed/4.ppm"), picture(4, 150, 110))  # another size
        write_ppm(self.path("mixed/5.ppm"), picture(5)[:1, :1].copy())  # one pixel
        result = self.track(self.path("mixed"), "--boxes", self.path("b.txt"), "--video", self.path("v.mp4"), "--sheet", self.path("s.png"))
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("b.txt")) as file:
            self.assertEqual(len(file.read().splitlines()), 6)

    def test_interrupt_finishes_the_files(self):
        os.mkdir(self.path("long"))
        for number in range(3000):
            os.symlink(os.path.join(self.frames, f"{number % 12}.ppm"), self.path(f"long/{number}.ppm"))
        process = subprocess.Popen([ATOMTRACK, "track", self.path("long"), "--box", "30,20,28,24", "--weights", self.weights, "--variant", "multi-scale", "--boxes", self.path("boxes.txt"), "--json", self.path("run.json")],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        with open(self.path("boxes.txt")) as file:
            count = len(file.read().splitlines())
        self.assertTrue(0 < count < 3000)
        with open(self.path("run.json")) as file:
            self.assertEqual(json.load(file)["summary"]["frames"], count)

    def test_info(self):
        result = self.run_command("info", self.weights, "--json")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(json.loads(result.stdout)["problems"], [])

    def test_score(self):
        with open(self.path("truth.txt"), "w") as file:
            file.write("31\t21\t28\t24\n31,21,28,24\n")
        with open(self.path("boxes.txt"), "w") as file:
            file.write("30,20,28,24\n30.000,20.000,28.000,24.000\n")
        result = self.run_command("score", "--boxes", self.path("boxes.txt"), "--ground-truth", self.path("truth.txt"), "--one-based")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mean overlap 1.0000", result.stdout)
        self.assert_refused(self.run_command("score", "--boxes", self.path("none.txt"), "--ground-truth", self.path("truth.txt")), "none.txt")
        with open(self.path("truth.txt"), "w") as file:  # corners of a rotated box, and an absent target
            file.write("30 20 58 20 58 44 30 44\n\nnan nan nan nan\n")
        result = self.run_command("score", "--boxes", self.path("boxes.txt"), "--ground-truth", self.path("truth.txt"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("op50 0.5000", result.stdout)
        self.assertIn("mean overlap 1.0000", result.stdout)
        for bad in ("31,21,28", "31,21,28,24,5", "31,21,28,x", "31,21,28,24px"):
            with open(self.path("bad.txt"), "w") as file:
                file.write("31,21,28,24\n\n" + bad + "\n")
            self.assert_refused(self.run_command("score", "--boxes", self.path("boxes.txt"), "--ground-truth", self.path("bad.txt")), "bad.txt: line 3")

    def test_score_vot(self):
        """A run of VOT's supervised experiment; test_vot_toolkit.py has the numbers."""
        os.makedirs(self.path("sequences/one"))
        os.makedirs(self.path("results/one"))
        write_rgba_png(self.path("sequences/one/00000001.png"), np.zeros((60, 80, 4), np.uint8))
        for name, lines in (("sequences/one/groundtruth.txt", ["10,10,30,10,30,30,10,30"] * 30), ("results/one/one_001.txt", ["1"] + ["10,10,21,21"] * 29),
                            ("results/one/one_002.txt", ["1", "2", "0", "0", "0", "0", "1"] + ["10,10,21,21"] * 23), ("results/one/one_001_time.txt", ["x"])):
            with open(self.path(name), "w") as file:
                file.write("\n".join(lines) + "\n")
        arguments = ("score", "--vot", self.path("results"), "--sequences", self.path("sequences"), "--low", "1", "--high", "2")
        result = self.run_command(*arguments, "--json", self.path("vot.json"))
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("vot.json")) as file:
            measures = json.load(file)
        self.assertEqual([measures[key] for key in ("accuracy", "failures", "expected_average_overlap")], [1.0, 0.5, 2 / 3])
        exact = self.run_command(*arguments, "--overlap", "exact")
        self.assertIn("accuracy 0.9070", exact.stdout)  # 20 x 20 of 21 x 21
        self.assert_refused(self.run_command("score", "--vot", self.path("results")), "--sequences")
        self.assert_refused(self.run_command("score"), "--boxes", "--vot")
        with open(self.path("results/one/one_002.txt"), "a") as file:
            file.write("4\n")
        self.assert_refused(self.run_command(*arguments), "one_002.txt: line 31")

    def test_gradcheck(self):
        result = self.run_command("gradcheck", "--op", "prroi_pool", "--json", self.path("rows.json"))
        self.assertEqual(result.returncode, 0, result.stdout)
        with open(self.path("rows.json")) as file:
            rows = json.load(file)
        self.assertEqual({(row["argument"], row["order"]) for row in rows}, {("features", 1), ("boxes", 1), ("features", 2), ("boxes", 2)})
        self.assertTrue(all(row["passed"] and row["op"] == "prroi_pool" for row in rows))
        self.assert_refused(self.run_command("gradcheck", "--op", "nothing"), "nothing")
        self.assert_refused(self.run_command("gradcheck", "--device", "cuda:99"))
        on_reference = self.run_command("gradcheck", "--op", "add", "--device", "reference")
        self.assertEqual(on_reference.returncode, 0, on_reference.stdout)

    def test_bench(self):
        result = self.run_command("bench", "--frames", "2", "--json", self.path("bench.json"))
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("bench.json")) as file:
            bench = json.load(file)
        self.assertEqual([stage["name"] for stage in bench["stages"]], ["crop", "features", "classify", "refine", "update", "first_frame", "frame"])
        self.assertGreater(bench["frame_mean_ms"], 0)
        self.assertGreater(bench["resident_mb"], 0)

    def test_precisions(self):
        clip = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/media/cup.mp4")

        def boxes(precision):
            output = self.path(precision + ".txt")
            result = self.run_command("track", clip, "--box", "306,123,108,260", "--max-frames", "6", "--precision", precision, "--device", "cpu", "--boxes", output)
            return result, np.loadtxt(output, delimiter=",") if result.returncode == 0 else None

        self.assert_refused(boxes("half")[0], "half", "GPU")
        with open("/proc/cpuinfo") as file:
            has_bfloat16 = "avx512_bf16" in file.read()
        result, coarse = boxes("bfloat16")
        if not has_bfloat16:
            self.assert_refused(result, "bfloat16", "AVX-512 BF16")
            return
        self.assertEqual(result.returncode, 0, result.stderr)
        _, exact = boxes("full")
        self.assertFalse(np.array_equal(coarse[1:], exact[1:]))
        self.assertLess(np.abs(coarse - exact).max(), 3)  # of a box of 108 x 260 pixels


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
