# SPDX-License-Identifier: MIT
"""Writes small files in PyTorch's formats without PyTorch: what test_convert_weights.py feeds to the converter."""
import collections
import io
import pickle
import struct
import sys
import types
import zipfile

import numpy as np


def fake(module, name):
    """An object that pickles as a reference to module.name."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        name_so_far = ".".join(parts[:end])
        sys.modules.setdefault(name_so_far, types.ModuleType(name_so_far)).__path__ = []
    holder = sys.modules[module]
    if not hasattr(holder, name):
        made = type(name, (), {"__module__": module})
        setattr(holder, name, made)
    return getattr(holder, name)


class Tensor:
    """Pickles as PyTorch pickles a tensor: a rebuild call on a storage that is stored apart."""

    def __init__(self, array, key):
        self.array, self.key = np.asarray(array, "<f4"), key

    def __reduce__(self):
        strides = tuple(s // 4 for s in self.array.strides)
        return fake("torch._utils", "_rebuild_tensor_v2"), (self, 0, self.array.shape, strides, False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.seen = set()

    def persistent_id(self, thing):
        if isinstance(thing, Tensor) and id(thing) in self.seen:
            return ("storage", fake("torch", "FloatStorage"), thing.key, "cpu", thing.array.size)
        if isinstance(thing, Tensor):
            self.seen.add(id(thing))
        return None


def dump(thing):
    file = io.BytesIO()
    Pickler(file).dump(thing)
    return file.getvalue()


def tensors_of(arrays):
    return collections.OrderedDict((name, Tensor(array, str(i))) for i, (name, array) in enumerate(arrays.items()))


def write_zip(path, content, tensors):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", dump(content))
        for tensor in tensors.values():
            archive.writestr("archive/data/" + tensor.key, tensor.array.tobytes())


def write_legacy(path, content, tensors):
    with open(path, "wb") as file:
        for thing in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            file.write(pickle.dumps(thing, protocol=2))
        file.write(dump(content))
        file.write(pickle.dumps([tensor.key for tensor in tensors.values()], protocol=2))
        for tensor in tensors.values():
            file.write(struct.pack("<q", tensor.array.size) + tensor.array.tobytes())
