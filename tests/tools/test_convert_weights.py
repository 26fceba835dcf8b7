# SPDX-License-Identifier: MIT
"""The weight converter against files of every kind. Run by ctest; `python3 test_convert_weights.py CONVERTER ATOMTRACK`."""
import hashlib
import json
import os
import pickle
import shutil
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


def predictor():
    """The IoU predictor's parameters."""
    random = np.random.default_rng(2)
    arrays = {"iou_predictor.weight": random.normal(size=(1, 512)), "iou_predictor.bias": np.ones(1)}

    def layer(kernel, norm, *shape):
        arrays[kernel + ".weight"] = random.normal(size=shape)
        arrays[kernel + ".bias"] = random.normal(size=shape[0])
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            arrays[f"{norm}.{leaf}"] = np.full(shape[0], 0.5)

    for name, outputs, inputs, size in (("conv3_1r", 128, 128, 3), ("conv3_1t", 256, 128, 3), ("conv3_2t", 256, 256, 3), ("fc3_1r", 256, 128, 3), ("conv4_1r", 256, 256, 3),
                                        ("conv4_1t", 256, 256, 3), ("conv4_2t", 256, 256, 3), ("fc34_3r", 256, 512, 1), ("fc34_4r", 256, 512, 1)):
        layer(name + ".0", name + ".1", outputs, inputs, size, size)
    for name, inputs in (("fc3_rt", 6400), ("fc4_rt", 2304)):
        layer(name + ".linear", name + ".bn", 256, inputs)
    return {"bb_regressor." + name: np.asarray(array, "<f4") for name, array in arrays.items()}


class Malice:
    """Calls a function when unpickled the usual way."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


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

    def info(self, status=0):
        result = subprocess.run([ATOMTRACK, "info", self.path("out.h5"), "--json"], capture_output=True, text=True)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def seal(self):
        with open(self.path("out.h5"), "r+b") as file:
            body = file.read()[512:]
            file.seek(0)
            file.write(b"atomtrack-weights\nsha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n")

    def check_converted(self, source, *options, tolerance=0.0):
        result = self.convert(source, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        with h5py.File(self.path("out.h5")) as file:
            for name, array in self.arrays.items():
                stored = file[name if name.startswith("bb_") else "feature_extractor." + name][()]
                self.assertEqual(stored.shape, array.shape)
                self.assertLessEqual(np.abs(stored - array).max(), tolerance * np.abs(array).max())
        return self.info()

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
        self.arrays.update(predictor())
        net = make.tensors_of({name if name.startswith("bb_") else "feature_extractor." + name: array for name, array in self.arrays.items()})
        counter = make.Tensor(np.zeros(()), "counter")
        momentum = make.Tensor(np.ones(3), "momentum")
        net["feature_extractor.bn1.num_batches_tracked"] = counter
        content = {"epoch": 40, "constructor": constructor, "net_type": "ATOMnet", "net": net, "optimizer": {"state": {0: {"exp_avg": momentum}}}, "stats": {}}
        for write in (make.write_zip, make.write_legacy):
            write(self.path("a.pth.tar"), content, {**net, "momentum": momentum})
            info = self.check_converted(self.path("a.pth.tar"), "--provenance", "a test")
            self.assertEqual((info["architecture"], info["iou_predictor"], info["provenance"]), ("modulation", True, "a test"))
            self.assertEqual(len(info["tensors"]), len(self.arrays))

    def test_npz(self):
        np.savez(self.path("a.npz"), **self.arrays)
        info = self.check_converted(self.path("a.npz"))
        self.assertEqual((info["architecture"], info["batch_norm_folded"]), ("backbone", False))
        self.assertIn("a.npz", info["provenance"])
        self.assertEqual(info["mean"], [0.485, 0.456, 0.406])

    def test_folded_batch_norm_is_marked(self):
        for name, array in self.arrays.items():
            for leaf, value in (("running_mean", 0.0), ("running_var", 1.0 - 1e-5)):
                if name.endswith(leaf):
                    array[:] = value
            if array.ndim == 1 and name.endswith("weight"):
                array[:] = 1.0
        np.savez(self.path("a.npz"), **self.arrays)
        self.assertTrue(self.check_converted(self.path("a.npz"))["batch_norm_folded"])
        self.arrays["layer2.0.bn2.running_mean"][5] = 0.5
        np.savez(self.path("a.npz"), **self.arrays)
        self.assertFalse(self.check_converted(self.path("a.npz"))["batch_norm_folded"])

    def test_edited_hdf5_is_reported_and_sealed_again(self):
        np.savez(self.path("a.npz"), **self.arrays)
        self.check_converted(self.path("a.npz"), "--provenance", "a test")
        with h5py.File(self.path("out.h5"), "r+") as file:
            file["feature_extractor.bn1.bias"][3] = 7.0
            file.attrs["mean"] = np.array([0.1, 0.2, 0.3])
        refused = subprocess.run([ATOMTRACK, "info", self.path("out.h5")], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("changed after it was made", refused.stderr)
        self.seal()
        damage = self.info(status=2)["damage"]
        self.assertEqual(len(damage), 1, damage)
        self.assertIn("feature_extractor.bn1.bias is damaged", damage[0])
        shutil.move(self.path("out.h5"), self.path("edited.h5"))
        self.arrays["bn1.bias"][3] = 7.0
        info = self.check_converted(self.path("edited.h5"))
        self.assertEqual((info["provenance"], info["mean"]), ("a test", [0.1, 0.2, 0.3]))

    def test_info_lists_all_that_does_not_fit(self):
        np.savez(self.path("a.npz"), **self.arrays)
        self.check_converted(self.path("a.npz"))
        with h5py.File(self.path("out.h5"), "r+") as file:
            del file["feature_extractor.layer1.0.bn1.weight"]
            file.move("feature_extractor.bn1.bias", "feature_extractor.bn1.offset")
            del file["feature_extractor.conv1.weight"]
            file["feature_extractor.conv1.weight"] = np.zeros((64, 3, 3, 3), "f4")
            file["feature_extractor.layer3.1.bn1.bias"][0] = np.nan
            file.attrs["architecture"] = np.bytes_("another")
        self.seal()
        info = self.info(status=2)
        problems = "\n".join(info["problems"])
        for part in ("layer1.0.bn1.weight: missing, expected [64]", "bn1.bias: missing", "architecture 'another'"):
            self.assertIn(part, problems)
        damage = "\n".join(info["damage"])
        for part in ("conv1.weight lacks the text attribute 'sha256'", "layer3.1.bn1.bias holds nan", "layer3.1.bn1.bias is damaged"):
            self.assertIn(part, damage)
        self.assertIn("feature_extractor.bn1.offset", info["unused"])

    def refused(self, source, *words, options=()):
        """Says why, and neither touches what was there before nor leaves a part."""
        with open(self.path("out.h5"), "w") as file:
            file.write("before")
        result = self.convert(source, *options)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(f"convert_weights: {source}: ", result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertNotIn("Warning", result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        with open(self.path("out.h5")) as file:
            self.assertEqual(file.read(), "before")
        self.assertFalse(os.path.exists(self.path("out.h5.partial")))

    def test_refused(self):
        for name, content in (("empty.pth", b""), ("text.pth", b"hello"), ("noise.pth", bytes(range(256)) * 9), ("pickle.pth", pickle.dumps({"a": 1}, 2))):
            with open(self.path(name), "wb") as file:
                file.write(content)
            self.refused(self.path(name))
        self.refused(self.path("missing.pth"))
        with zipfile.ZipFile(self.path("other.pth"), "w") as archive:
            archive.writestr("readme", "nothing")
        self.refused(self.path("other.pth"))
        with h5py.File(self.path("group.h5"), "w") as file:
            file.create_group("feature_extractor")
        self.refused(self.path("group.h5"), "groups")
        np.save(self.path("one.npy"), np.zeros(3))
        self.refused(self.path("one.npy"), ".npz")
        os.rename(self.path("one.npy"), self.path("one.npz"))
        self.refused(self.path("one.npz"))
        np.savez(self.path("objects.npz"), **{**self.arrays, "bn1.bias": np.array([{}], object)})
        self.refused(self.path("objects.npz"), "allow_pickle")

    def test_other_networks_are_refused(self):
        def refused(words, **change):
            np.savez(self.path("other.npz"), **{**self.arrays, **{name.replace("__", "."): value for name, value in change.items()}})
            self.refused(self.path("other.npz"), *words)

        refused(["conv1.weight: shape [8, 3, 3, 3], expected [64, 3, 7, 7]"], conv1__weight=np.zeros((8, 3, 3, 3), "f4"))
        refused(["layer1.0.bn1.bias", "not finite"], layer1__0__bn1__bias=np.full(64, np.nan))
        refused(["bn1.bias", "int64"], bn1__bias=np.ones(64, "i8"))
        # What a ResNet-34 and a ResNet-50 have more; and half a predictor.
        refused(["layer1.2.conv1.weight: not a tensor of"], layer1__2__conv1__weight=np.zeros((64, 64, 3, 3), "f4"))
        refused(["layer1.0.conv3.weight: not a tensor of"], layer1__0__conv3__weight=np.zeros((256, 64, 1, 1), "f4"))
        refused(["bb_regressor.fc3_rt.linear.bias: missing"], bb_regressor__fc3_rt__linear__weight=np.zeros((256, 6400), "f4"))
        del self.arrays["layer3.1.bn2.running_var"], self.arrays["layer2.0.downsample.0.weight"]
        refused(["2 problems", "layer3.1.bn2.running_var: missing", "layer2.0.downsample.0.weight: missing"])
        np.savez(self.path("none.npz"), a=np.zeros(3))
        self.refused(self.path("none.npz"), "no ResNet-18")

    def test_too_large_for_half_precision(self):
        self.arrays["layer2.0.conv1.weight"][0, 0, 0, 0] = 1e6
        np.savez(self.path("large.npz"), **self.arrays)
        self.refused(self.path("large.npz"), "layer2.0.conv1.weight", "half", options=["--half"])
        self.check_converted(self.path("large.npz"))

    def test_impossible_tensors(self):
        tensors = make.tensors_of(self.arrays)
        first = tensors["conv1.weight"]
        rebuild = make.fake("torch._utils", "_rebuild_tensor_v2")
        class Claim(make.Tensor):
            """A tensor that claims another size and strides than its storage has."""

            def __reduce__(self):
                return rebuild, (first, *self.claim)

        beyond, impossible = "reaches beyond its storage", "impossible layout"
        for words, offset, size, stride in ((beyond, 0, (64, 3, 7, 8), (168, 56, 8, 1)), (beyond, 1, (64, 3, 7, 7), (147, 49, 7, 1)), (impossible, -1, (64, 3, 7, 7), (147, 49, 7, 1)),
                                            (impossible, 0, (64, 3, 7, 7), (147, 49, 7, -1)), (impossible, 0, (1 << 20, 1 << 20), (0, 0)), (impossible, 0, (64, 3), (1,))):
            claim = Claim(np.zeros(1), "0")
            claim.claim = (offset, size, stride, False, None)
            make.write_zip(self.path("a.pth"), {**tensors, "bn1.bias": claim}, tensors)
            self.refused(self.path("a.pth"), words)

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
        attacks = [Malice(os.system, f"touch {trace}"), Malice(open, trace, "w"), Malice(exec, f"open({trace!r}, 'w')"), Malice(os.mkdir, trace), Malice(subprocess.call, ["touch", trace])]
        for write in (make.write_zip, make.write_legacy):
            write(self.path("evil.pth"), {"net": tensors, "extra": attacks}, tensors)
            self.check_converted(self.path("evil.pth"))  # the tensors are there, the attacks are inert
        for attack in attacks:
            with open(self.path("evil.pth"), "wb") as file:
                file.write(pickle.dumps(attack, 2))
            self.refused(self.path("evil.pth"))
        np.savez(self.path("evil.npz"), **{**self.arrays, "extra": np.array(attacks, object)})
        self.refused(self.path("evil.npz"))
        self.assertFalse(os.path.exists(trace))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
