# SPDX-License-Identifier: MIT
"""`atomtrack train` as a user meets it. Run by ctest; `python3 test_training.py ATOMTRACK CONVERTER`."""
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

from test_command import ATOMTRACK, CONVERTER, picture, write_backbone, write_ppm

CONFIG = {
    "seed": 5,
    "datasets": [{"layout": "otb", "root": "videos", "validation_every": 2}],
    "sampling": {"max_gap": 5, "minimum_visible": 1, "minimum_frames": 2, "proposals": 4, "targets": 2},
    "augmentation": {"crop": 96, "position": 2.0, "scale": 0.2},
    "training": {"batch": 4, "group": 2, "average": 0.9, "schedule": [{"until": 1000, "head_rate": 1e-3}]},
    "validation": {"pairs": 2, "every": 8},
}


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.data = os.path.join(cls.shared.name, "data")
        for video in range(4):
            images = os.path.join(cls.data, "videos", f"clip{video}", "img")
            os.makedirs(images)
            boxes = []
            for number in range(1, 7):
                write_ppm(os.path.join(images, f"{number:04d}.jpg"), picture(number + video))  # the reader goes by content
                boxes.append(f"{31 + number + video},{21 + (number + video) // 2},28,24")
            with open(os.path.join(images, "..", "groundtruth_rect.txt"), "w") as file:
                file.write("\n".join(boxes) + "\n")
        cls.weights = os.path.join(cls.shared.name, "backbone.h5")
        write_backbone(os.path.join(cls.shared.name, "backbone.npz"))
        subprocess.run([sys.executable, CONVERTER, os.path.join(cls.shared.name, "backbone.npz"), cls.weights], check=True, stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.config = self.write_config(CONFIG)

    def tearDown(self):
        self.folder.cleanup()

    def write_config(self, config, name="config.json"):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            json.dump(config, file)
        return path

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def arguments(self, output, *more, config=None):
        return [ATOMTRACK, "train", config or self.config, "--data", self.data, "--start", self.weights, "--output", self.path(output), *more]

    def train(self, output, *more, config=None, launcher=()):
        return subprocess.run([*launcher, *self.arguments(output, *more, config=config)], capture_output=True, text=True, timeout=300)

    def steps(self, output):
        with open(os.path.join(self.path(output), "steps.csv")) as file:
            return list(csv.DictReader(file))

    def assert_refused(self, result, *words):
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        last = result.stderr.strip().splitlines()[-1]
        self.assertTrue(last.startswith("atomtrack: "), result.stderr)
        for word in words:
            self.assertIn(word, last)

    def test_resume_is_bit_for_bit(self):
        self.assertEqual(self.train("whole", "--pairs", "16").returncode, 0)
        self.assertEqual(self.train("halves", "--pairs", "8").returncode, 0)
        result = self.train("halves", "--pairs", "16", "--resume")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.steps("halves"), self.steps("whole"))
        with h5py.File(os.path.join(self.path("whole"), "checkpoint.h5")) as a, h5py.File(os.path.join(self.path("halves"), "checkpoint.h5")) as b:
            self.assertEqual(sorted(a), sorted(b))
            self.assertEqual(a.attrs["provenance"], b.attrs["provenance"])
            self.assertEqual([name for name in a if not np.array_equal(a[name][()], b[name][()])], [])
        for name in ("steps.csv", "validation.csv", "curves.svg", "weights.h5"):
            self.assertTrue(os.path.getsize(os.path.join(self.path("whole"), name)) > 0, name)

    def test_interrupt_saves(self):
        often = self.write_config({**CONFIG, "checkpoint_every": 4}, "often.json")
        process = subprocess.Popen(self.arguments("run", config=often), stderr=subprocess.PIPE, text=True)
        log = os.path.join(self.path("run"), "steps.csv")
        deadline = time.time() + 120
        while not os.path.exists(log) and time.time() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("--resume goes on", errors)
        done = int(self.steps("run")[-1]["pairs"])
        self.assertEqual(self.train("run", "--pairs", str(done + 4), "--resume", config=often).returncode, 0)
        self.assertEqual(int(self.steps("run")[-1]["pairs"]), done + 4)

    def test_a_run_is_not_overwritten(self):
        self.assertEqual(self.train("run", "--pairs", "4").returncode, 0)
        self.assert_refused(self.train("run", "--pairs", "8"), "is there already", "--resume")
        other = self.write_config({**CONFIG, "seed": 6}, "other.json")
        self.assert_refused(self.train("run", "--pairs", "8", "--resume", config=other), "checkpoint.h5", "another configuration")

    def test_processes_give_one_curve(self):
        mpirun = shutil.which("mpirun")
        if mpirun is None:
            self.skipTest("no mpirun")
        launcher = [mpirun, "-n", "2", "--oversubscribe"] + (["--allow-run-as-root"] if os.geteuid() == 0 else [])
        several = self.train("several", "--pairs", "12", "--threads", "1", launcher=launcher)
        self.assertEqual(several.returncode, 0, several.stderr)
        self.assertEqual(self.train("one", "--pairs", "12", "--threads", "1").returncode, 0)
        one = self.steps("one")
        self.assertEqual(len(one), 3)
        for a, b in zip(one, self.steps("several")):
            self.assertAlmostEqual(float(a["loss"]), float(b["loss"]), delta=1e-5 * float(a["loss"]))

    def test_measuring(self):
        self.assertEqual(self.train("run", "--pairs", "4").returncode, 0)
        weights = os.path.join(self.path("run"), "weights.h5")
        command = [ATOMTRACK, "train", self.config, "--data", self.data, "--start", weights, "--measure", "--pairs", "3"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("targets: 12 candidates, mean IoU error 0.", result.stdout)

    def test_bad_input(self):
        nowhere = self.write_config({**CONFIG, "datasets": [{"layout": "otb", "root": "missing"}]}, "nowhere.json")
        self.assert_refused(self.train("run", config=nowhere), "missing")
        unknown = self.write_config({**CONFIG, "samplng": {}}, "unknown.json")
        self.assert_refused(self.train("run", config=unknown), "unknown.json", "samplng")
        layout = self.write_config({**CONFIG, "datasets": [{"layout": "otbb", "root": "videos"}]}, "layout.json")
        self.assert_refused(self.train("run", config=layout), "otbb", "expected")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
