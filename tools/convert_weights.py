#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Converts network weights to atomtrack's HDF5 format (docs/weights.md).

Accepts torchvision's ResNet-18 (.pth), an ATOM checkpoint of the authors' tracker (.pth, .pth.tar) and NumPy archives (.npz). Needs numpy and h5py, not
PyTorch. A .pth file is a pickle: only tensors are rebuilt from it, every other object becomes an inert placeholder, and nothing stored in it is executed."""
import argparse
import collections
import hashlib
import io
import pickle
import struct
import sys
import zipfile

import h5py
import numpy as np

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
BACKBONE = "feature_extractor."
PREDICTOR = "bb_regressor."
ENVELOPE_SIZE = 512


class ConversionError(Exception):
    """The file cannot be converted; the message says why."""


class Placeholder:
    """Stands for any object that is not a tensor. Accepts whatever unpickling does to it and does nothing."""

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def __call__(self, *args, **kwargs):
        return Placeholder()


STORAGE_TYPES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}


class StorageType:
    def __init__(self, name):
        self.dtype = np.dtype(STORAGE_TYPES[name])


def rebuild_tensor(storage, offset, size, stride, *ignored):
    """The view of a flat storage that torch._utils._rebuild_tensor_v2 describes, as an array of its own."""
    if not isinstance(storage, np.ndarray):
        raise ConversionError("a tensor without a storage of numbers")
    offset, size, stride = int(offset), tuple(map(int, size)), tuple(map(int, stride))
    if len(size) != len(stride) or any(n < 0 for n in size + stride) or offset < 0:
        raise ConversionError("a tensor with an impossible layout")
    last = offset + sum((n - 1) * s for n, s in zip(size, stride)) if all(size) else offset - 1
    if last >= storage.size:
        raise ConversionError("a tensor that reaches beyond its storage (is the file truncated?)")
    if not all(size):
        return np.zeros(size, storage.dtype)
    strides = tuple(s * storage.itemsize for s in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()


def rebuild_parameter(data, *ignored):
    return data


class TensorUnpickler(pickle.Unpickler):
    """Builds tensors and plain containers, and placeholders for all else."""

    KNOWN = {
        ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
        ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
        ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
        ("collections", "OrderedDict"): collections.OrderedDict,
    }

    def __init__(self, file, load_storage):
        super().__init__(file, encoding="latin1")
        self.load_storage = load_storage

    def find_class(self, module, name):
        if (module, name) in self.KNOWN:
            return self.KNOWN[module, name]
        if module in ("torch", "torch.storage") and name in STORAGE_TYPES:
            return StorageType(name)
        return Placeholder

    def persistent_load(self, saved_id):
        if not isinstance(saved_id, tuple) or len(saved_id) < 5 or saved_id[0] != "storage":
            raise ConversionError("an unknown kind of stored object")
        storage_type, key, count = saved_id[1], saved_id[2], saved_id[4]
        if not isinstance(storage_type, StorageType):
            raise ConversionError("a tensor of an unknown number type")
        return self.load_storage(str(key), storage_type.dtype, int(count))


def read_zip_checkpoint(path):
    """The format of PyTorch 1.6 and later: a zip archive of data.pkl and one file per storage."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(pickles) != 1:
            raise ConversionError("a zip archive without one data.pkl: not a PyTorch file")
        folder = pickles[0][: -len("data.pkl")]

        def load_storage(key, dtype, count):
            name = folder + "data/" + key
            if name not in names:
                raise ConversionError(f"storage {key} is missing from the archive")
            data = archive.read(name)
            if len(data) < count * dtype.itemsize:
                raise ConversionError(f"storage {key} is truncated")
            return np.frombuffer(data, dtype, count)

        return TensorUnpickler(io.BytesIO(archive.read(pickles[0])), load_storage).load()


LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001


def read_legacy_checkpoint(path):
    """The older format: magic number, version, system facts, the object, then the keys and contents of its storages. The object comes before its numbers, so it is
    read twice: once for what storages there are, and again when they are filled."""
    storages = {}

    def load_storage(key, dtype, count):
        return storages.setdefault(key, np.zeros(count, dtype))

    def read_object(file):
        header = [TensorUnpickler(file, load_storage).load() for _ in range(3)]
        if header[:2] != [LEGACY_MAGIC, LEGACY_VERSION]:
            raise ConversionError("not a PyTorch file")
        return TensorUnpickler(file, load_storage).load()

    with open(path, "rb") as file:
        read_object(file)
        for key in TensorUnpickler(file, load_storage).load():
            if str(key) not in storages:
                raise ConversionError(f"storage {key} is not used by any tensor")
            target = storages[str(key)]
            count = file.read(8)
            data = file.read(target.nbytes)
            if len(count) != 8 or struct.unpack("<q", count)[0] != target.size or len(data) != target.nbytes:
                raise ConversionError(f"storage {key} is truncated")
            target[:] = np.frombuffer(data, target.dtype)
        file.seek(0)
        return read_object(file)


def read_checkpoint(path):
    if zipfile.is_zipfile(path):
        content = read_zip_checkpoint(path)
    else:
        content = read_legacy_checkpoint(path)
    if isinstance(content, dict) and isinstance(content.get("net"), dict):
        content = content["net"]  # an ATOM checkpoint: the network among training state
    elif isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise ConversionError("holds no dictionary of tensors")
    return {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, np.ndarray)}


def read_any(path):
    with open(path, "rb") as file:
        start = file.read(8)
    if path.endswith(".npz"):
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    if start.startswith(b"PK") or start.startswith(b"\x80"):
        return read_checkpoint(path)
    raise ConversionError("neither a NumPy archive (.npz) nor a PyTorch file (.pth)")


def named_for_atomtrack(tensors):
    """Backbone and predictor under their names; what tracking knows nothing of is left out."""
    result = {}
    for name, value in tensors.items():
        if name.endswith("num_batches_tracked"):
            continue
        if not name.startswith((BACKBONE, PREDICTOR)):
            if not name.startswith(("conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.", "fc.")):
                continue
            name = BACKBONE + name
        result[name] = value
    if BACKBONE + "conv1.weight" not in result:
        raise ConversionError("no ResNet-18 in it: conv1.weight is missing")
    shape = result[BACKBONE + "conv1.weight"].shape
    if shape != (64, 3, 7, 7):
        raise ConversionError(f"conv1.weight is {list(shape)}, a ResNet-18 has [64, 3, 7, 7]")
    for name, value in result.items():
        if value.dtype.kind != "f":
            raise ConversionError(f"{name} holds {value.dtype}, expected floating-point numbers")
        if not np.isfinite(value).all():
            raise ConversionError(f"{name} holds numbers that are not finite")
    return result


def is_folded(tensors):
    """Batch norms that pass everything through: weight 1 and mean 0."""
    weights = [v for k, v in tensors.items() if k.startswith(BACKBONE + "layer") and k.endswith("bn1.weight")]
    means = [v for k, v in tensors.items() if k.startswith(BACKBONE + "layer") and k.endswith("bn1.running_mean")]
    return bool(weights) and all((w == 1).all() for w in weights) and all((m == 0).all() for m in means)


def write(path, tensors, provenance, half):
    dtype = np.dtype("<f2" if half else "<f4")
    has_predictor = any(name.startswith(PREDICTOR) for name in tensors)
    with h5py.File(path, "w", userblock_size=ENVELOPE_SIZE) as file:
        file.attrs["format"] = "atomtrack-weights"
        file.attrs["format_version"] = np.array([1.0])
        file.attrs["architecture"] = "modulation" if has_predictor else "backbone"
        file.attrs["batch_norm_folded"] = np.array([1.0 if is_folded(tensors) else 0.0])
        file.attrs["mean"] = np.array(MEAN)
        file.attrs["deviation"] = np.array(DEVIATION)
        file.attrs["provenance"] = provenance
        for name in sorted(tensors):
            data = np.ascontiguousarray(tensors[name].astype(dtype))
            if half and not np.isfinite(data).all():
                raise ConversionError(f"{name} holds numbers too large for half precision")
            dataset = file.create_dataset(name, data=data)
            dataset.attrs["sha256"] = hashlib.sha256(data.tobytes()).hexdigest()
    # The envelope: a digest of all that follows it, verified before the file is opened as HDF5.
    with open(path, "r+b") as file:
        body = file.read()[ENVELOPE_SIZE:]
        file.seek(0)
        file.write(f"atomtrack-weights\nsha256 {hashlib.sha256(body).hexdigest()}\n".encode().ljust(ENVELOPE_SIZE, b"\0"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog="The terms of the source file apply to the result: see docs/weights.md.")
    parser.add_argument("source", help=".pth, .pth.tar or .npz")
    parser.add_argument("target", help="the .h5 file to write")
    parser.add_argument("--half", action="store_true", help="store in half precision")
    parser.add_argument("--provenance", default="", help="where the numbers come from, and their terms")
    arguments = parser.parse_args()
    try:
        tensors = named_for_atomtrack(read_any(arguments.source))
        provenance = arguments.provenance or "converted from " + arguments.source.rsplit("/", 1)[-1]
        write(arguments.target, tensors, provenance, arguments.half)
    except (ConversionError, OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, IndexError, struct.error, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        sys.exit(f"convert_weights: {arguments.source}: {error}")
    print(f"{arguments.target}: {len(tensors)} tensors, {sum(v.size for v in tensors.values())} numbers")


if __name__ == "__main__":
    main()
