# SPDX-License-Identifier: MIT
"""The weight converter against files of every kind. Run by ctest; `python3 test_convert_weights.py CONVERTER ATOMTRACK`."""
import os
import pickle
import subprocess
import sys
import tempfile
import unittest
import zipfile

import h5py
import make_checkpoints as make
import numpy as np

CONVERTER, ATOMTRACK = sys.argv[1], sys.argv[2]


def backbone():
    random = np.random.default_rng(1)
    arrays = {"conv1.weight": random.normal(size=(64, 3, 7, 7))}
    widths = [64, 64, 128, 256]

    def norm(name, channels):
        for leaf, value in (("weight", 1.5), ("bias", 0.1), ("running_mean", 0.2), ("running_var", 1.1)):
            arrays[f"{name}.{leaf}"] = np.full(channels, value)

    norm("bn1", 64)
    for stage in (1, 2, 3):
        for block in (0, 1):
            inputs = widths[stage - 1] if block == 0 else widths[stage]
            name = f"layer{stage}.{block}"
            arrays[name + ".conv1.weight"] = random.normal(size=(widths[stage], inputs, 3, 3))
            arrays[name + ".conv2.weight"] = random.normal(size=(widths[stage], widths[stage], 3, 3))
            norm(name + ".bn1", widths[stage])
            norm(name + ".bn2", widths[stage])
            if block == 0 and stage > 1:
                arrays[name + ".downsample.0.weight"] = random.normal(size=(widths[stage], inputs, 1, 1))
                norm(name + ".downsample.1", widths[stage])
    return {name: np.asarray(array, "<f4") for name, array in arrays.items()}


class Malice:
    """Runs a command when unpickled the usual way."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class ConvertWeights(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.arrays = backbone()

    def tearDown(self):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def convert(self, source, *options):
        return subprocess.run([sys.executable, CONVERTER, source, self.path("out.h5"), *options], capture_output=True, text=True)

    def check_converted(self, source, *options, tolerance=0.0):
        result = self.convert(source, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        with h5py.File(self.path("out.h5")) as file:
            for name, array in self.arrays.items():
                stored = file["feature_extractor." + name][()]
                self.assertEqual(stored.shape, array.shape)
                self.assertLessEqual(np.abs(stored - array).max(), tolerance * np.abs(array).max())
        info = subprocess.run([ATOMTRACK, "info", self.path("out.h5")], capture_output=True, text=True)
        self.assertEqual(info.returncode, 0, info.stdout + info.stderr)

    def test_zip(self):
        tensors = make.tensors_of(self.arrays)
        make.write_zip(self.path("a.pth"), tensors, tensors)
        self.check_converted(self.path("a.pth"))
        self.check_converted(self.path("a.pth"), "--half", tolerance=1e-3)

    def test_legacy(self):
        tensors = make.tensors_of(self.arrays)
        make.write_legacy(self.path("a.pth"), tensors, tensors)
        self.check_converted(self.path("a.pth"))

    def test_checkpoint_with_objects(self):
        constructor = make.fake("ltr.admin.settings", "NetConstructor")()
        constructor.__dict__["args"] = [1, 2]
        tensors = make.tensors_of({"feature_extractor." + name: array for name, array in self.arrays.items()})
        content = {"epoch": 40, "constructor": constructor, "net_type": "ATOMnet", "net": tensors, "stats": {}}
        make.write_zip(self.path("a.pth.tar"), content, tensors)
        self.check_converted(self.path("a.pth.tar"))

    def test_npz(self):
        np.savez(self.path("a.npz"), **self.arrays)
        self.check_converted(self.path("a.npz"))

    def refused(self, source):
        result = self.convert(source)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("convert_weights: ", result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_refused(self):
        for name, content in (("empty.pth", b""), ("text.pth", b"hello"), ("noise.pth", bytes(range(256)) * 9), ("pickle.pth", pickle.dumps({"a": 1}, 2))):
            with open(self.path(name), "wb") as file:
                file.write(content)
            self.refused(self.path(name))
        self.refused(self.path("missing.pth"))
        with zipfile.ZipFile(self.path("other.pth"), "w") as archive:
            archive.writestr("readme", "nothing")
        self.refused(self.path("other.pth"))
        for change in ({"conv1.weight": np.zeros((8, 3, 3, 3))}, {"layer1.0.bn1.bias": np.full(64, np.nan)}):
            np.savez(self.path("wrong.npz"), **{**self.arrays, **change})
            self.refused(self.path("wrong.npz"))

    def test_truncated(self):
        tensors = make.tensors_of(self.arrays)
        for write in (make.write_zip, make.write_legacy):
            write(self.path("whole.pth"), tensors, tensors)
            with open(self.path("whole.pth"), "rb") as file:
                whole = file.read()
            for share in (0.001, 0.1, 0.5, 0.999):
                with open(self.path("part.pth"), "wb") as file:
                    file.write(whole[: int(len(whole) * share)])
                self.refused(self.path("part.pth"))

    def test_nothing_is_executed(self):
        trace = self.path("trace")
        tensors = make.tensors_of(self.arrays)
        make.write_zip(self.path("evil.pth"), {"net": tensors, "extra": Malice(trace)}, tensors)
        self.convert(self.path("evil.pth"))
        with open(self.path("evil2.pth"), "wb") as file:
            file.write(pickle.dumps(Malice(trace), 2))
        self.refused(self.path("evil2.pth"))
        self.assertFalse(os.path.exists(trace))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
