#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Converts network weights to atomtrack's HDF5 format (docs/weights.md).

Accepts torchvision's ResNet-18 (.pth), an ATOM checkpoint of the authors' tracker (.pth, .pth.tar), NumPy archives (.npz), and HDF5 files with the same names (to
seal one that was made or edited by hand). Needs numpy and h5py, not PyTorch. A .pth file is a pickle: only tensors are rebuilt from it, every other object becomes
an inert placeholder, and nothing stored in it is executed."""
import argparse
import collections
import contextlib
import hashlib
import io
import math
import os
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
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ENVELOPE_SIZE = 512
LARGEST_TENSOR = 2**26  # numbers
LARGEST_PICKLE = 2**26  # bytes


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
    if len(size) != len(stride) or any(n < 0 for n in size + stride) or offset < 0 or math.prod(size) > LARGEST_TENSOR:
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
        storage_type, key, count = saved_id[1], saved_id[2], int(saved_id[4])
        if not isinstance(storage_type, StorageType):
            raise ConversionError("a tensor of an unknown number type, expected one of " + ", ".join(STORAGE_TYPES))
        if any(part is not None for part in saved_id[5:]):
            raise ConversionError("a tensor on a part of a storage, as PyTorch before 0.4 wrote them")
        if not 0 <= count <= 4 * LARGEST_TENSOR:
            raise ConversionError(f"a storage of {count} numbers")
        return self.load_storage(str(key), storage_type.dtype, count)


def read_zip_checkpoint(path):
    """The format of PyTorch 1.6 and later: a zip archive of data.pkl and one file per storage."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(pickles) != 1:
            raise ConversionError("a zip archive without one data.pkl: not a PyTorch file")
        folder = pickles[0][: -len("data.pkl")]
        if folder + "byteorder" in names and archive.read(folder + "byteorder") != b"little":
            raise ConversionError("written on a big-endian machine, expected little-endian numbers")
        if archive.getinfo(pickles[0]).file_size > LARGEST_PICKLE:
            raise ConversionError("a data.pkl of an impossible size")

        def load_storage(key, dtype, count):
            name = folder + "data/" + key
            if name not in names:
                raise ConversionError(f"storage {key} is missing from the archive")
            if archive.getinfo(name).file_size != count * dtype.itemsize:
                raise ConversionError(f"storage {key} is not of the size that its tensors say")
            return np.frombuffer(archive.read(name), dtype, count)

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
            raise ConversionError("a pickle, but not a PyTorch file")
        if isinstance(header[2], dict) and header[2].get("little_endian") is False:
            raise ConversionError("written on a big-endian machine, expected little-endian numbers")
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


def read_hdf5(path):
    """A file laid out as docs/weights.md says; checksums and seal are not looked at, they are made anew."""
    with h5py.File(path, "r") as file:
        if not all(isinstance(item, h5py.Dataset) for item in file.values()):
            raise ConversionError("holds groups, expected one dataset per tensor in the root")
        tensors = {name: item[()] for name, item in file.items()}
        metadata = {name: file.attrs[name] for name in ("mean", "deviation", "provenance") if name in file.attrs}
    if isinstance(metadata.get("provenance"), bytes):
        metadata["provenance"] = metadata["provenance"].decode()
    return tensors, metadata


def read_any(path):
    """The tensors of a file by name, and the metadata that it states."""
    with open(path, "rb") as file:
        start = file.read(ENVELOPE_SIZE + 8)
    if start[:8] == HDF5_SIGNATURE or start[ENVELOPE_SIZE:] == HDF5_SIGNATURE:
        return read_hdf5(path)
    if path.endswith(".npz"):
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}, {}
    if start.startswith(b"PK") or start.startswith(b"\x80"):
        return read_checkpoint(path), {}
    raise ConversionError("neither a PyTorch file (.pth) nor a NumPy archive (.npz) nor HDF5")


def batch_norm_shapes(name, channels):
    return {f"{name}.{leaf}": (channels,) for leaf in ("weight", "bias", "running_mean", "running_var")}


def backbone_shapes(stages):
    """Of a ResNet-18, up to layer<stages>."""
    shapes = {"conv1.weight": (64, 3, 7, 7), **batch_norm_shapes("bn1", 64)}
    inputs = 64
    for stage in range(1, stages + 1):
        outputs = 32 * 2**stage
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            shapes[name + ".conv1.weight"] = (outputs, inputs, 3, 3)
            shapes[name + ".conv2.weight"] = (outputs, outputs, 3, 3)
            shapes.update(batch_norm_shapes(name + ".bn1", outputs))
            shapes.update(batch_norm_shapes(name + ".bn2", outputs))
            if inputs != outputs:
                shapes[name + ".downsample.0.weight"] = (outputs, inputs, 1, 1)
                shapes.update(batch_norm_shapes(name + ".downsample.1", outputs))
            inputs = outputs
    return {BACKBONE + name: shape for name, shape in shapes.items()}


def predictor_shapes():
    """Of the IoU predictor with modulation."""
    shapes = {"iou_predictor.weight": (1, 512), "iou_predictor.bias": (1,)}
    convolutions = {"conv3_1r": (128, 128, 3, 3), "conv3_1t": (256, 128, 3, 3), "conv3_2t": (256, 256, 3, 3), "fc3_1r": (256, 128, 3, 3), "conv4_1r": (256, 256, 3, 3),
                    "conv4_1t": (256, 256, 3, 3), "conv4_2t": (256, 256, 3, 3), "fc34_3r": (256, 512, 1, 1), "fc34_4r": (256, 512, 1, 1)}
    for name, shape in convolutions.items():
        shapes.update({name + ".0.weight": shape, name + ".0.bias": shape[:1], **batch_norm_shapes(name + ".1", shape[0])})
    for name, cells in (("fc3_rt", 25), ("fc4_rt", 9)):
        shapes.update({name + ".linear.weight": (256, 256 * cells), name + ".linear.bias": (256,), **batch_norm_shapes(name + ".bn", 256)})
    return {PREDICTOR + name: shape for name, shape in shapes.items()}


def problems_of(tensors):
    """All that keeps these tensors from being a ResNet-18, with or without the IoU predictor, a line each."""
    needed = backbone_shapes(3)
    allowed = {**backbone_shapes(4), BACKBONE + "fc.weight": (1000, 512), BACKBONE + "fc.bias": (1000,)}
    if any(name.startswith(PREDICTOR) for name in tensors):
        needed.update(predictor_shapes())
        allowed.update(predictor_shapes())
    problems = [f"{name}: missing, expected {list(shape)}" for name, shape in needed.items() if name not in tensors]
    for name, value in tensors.items():
        if name not in allowed:
            problems.append(f"{name}: not a tensor of a ResNet-18 or of the IoU predictor")
        elif value.shape != allowed[name]:
            problems.append(f"{name}: shape {list(value.shape)}, expected {list(allowed[name])}")
        elif value.dtype.kind != "f":
            problems.append(f"{name}: holds {value.dtype}, expected floating-point numbers")
        elif not np.isfinite(value).all():
            problems.append(f"{name}: holds numbers that are not finite")
    return problems


def named_for_atomtrack(tensors):
    """Backbone and predictor under their names; what tracking knows nothing of is left out."""
    result = {}
    for name, value in tensors.items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.startswith(("conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.", "fc.")):
            name = BACKBONE + name
        if name.startswith((BACKBONE, PREDICTOR)):
            result[name] = value
    if BACKBONE + "conv1.weight" not in result:
        raise ConversionError("no ResNet-18 in it: conv1.weight is missing")
    problems = problems_of(result)
    if problems:
        raise ConversionError(f"does not fit the network, {len(problems)} problems:\n  " + "\n  ".join(problems))
    return result


def is_folded(tensors):
    """Whether the backbone's batch norms pass everything through but a bias: weight 1, mean 0, variance 1 less epsilon."""
    leaves = {leaf: np.concatenate([v for k, v in tensors.items() if k.startswith(BACKBONE) and k.split(".")[-2] in ("bn1", "bn2", "1") and k.endswith("." + leaf) and v.ndim == 1])
              for leaf in ("weight", "bias", "running_mean", "running_var")}
    neutral = (leaves["weight"] == 1).all() and (leaves["running_mean"] == 0).all() and (abs(leaves["running_var"] - 1) <= 2e-5).all()
    return bool(neutral and (leaves["bias"] != 0).any())


def stored(name, values, half):
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(values, "<f2" if half else "<f4")
    if not np.isfinite(data).all():
        raise ConversionError(f"{name}: holds numbers too large for {'half' if half else 'single'} precision")
    return data


def write_attribute(where, name, value):
    """Text has a fixed length: HDF5's text of variable length is not accepted (docs/weights.md)."""
    if isinstance(value, str):
        value = value.encode()
        where.attrs.create(name, value, dtype=h5py.string_dtype("utf-8", max(1, len(value))))
    else:
        where.attrs[name] = np.array(value, "<f8")


def write_hdf5(path, tensors, metadata, half):
    with h5py.File(path, "w", userblock_size=ENVELOPE_SIZE, libver=("v110", "v110")) as file:
        for name, value in metadata.items():
            write_attribute(file, name, value)
        for name in sorted(tensors):
            data = stored(name, tensors[name], half)
            write_attribute(file.create_dataset(name, data=data), "sha256", hashlib.sha256(data.tobytes()).hexdigest())


def seal(path):
    """Writes the envelope: a digest of all that follows it, verified before the file is opened as HDF5."""
    with open(path, "r+b") as file:
        body = file.read()[ENVELOPE_SIZE:]
        file.seek(0)
        file.write(f"atomtrack-weights\nsha256 {hashlib.sha256(body).hexdigest()}\n".encode().ljust(ENVELOPE_SIZE, b"\0"))


def write(path, tensors, stated, half):
    """Puts a complete file in place, or none."""
    metadata = {
        "format": "atomtrack-weights",
        "format_version": [1],
        "architecture": "modulation" if any(name.startswith(PREDICTOR) for name in tensors) else "backbone",
        "batch_norm_folded": [1 if is_folded(tensors) else 0],
        "mean": MEAN,
        "deviation": DEVIATION,
        **stated,
    }
    partial = path + ".partial"
    try:
        write_hdf5(partial, tensors, metadata, half)
        seal(partial)
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(partial)
        raise


def provenance_of(path):
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return f"converted from {os.path.basename(path)} (SHA-256 {digest})"


def convert(source, target, half, provenance):
    tensors, stated = read_any(source)
    tensors = named_for_atomtrack(tensors)
    if provenance or not stated.get("provenance"):
        stated["provenance"] = provenance or provenance_of(source)
    write(target, tensors, stated, half)
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog="The terms of the source file apply to the result: see docs/weights.md.")
    parser.add_argument("source", help=".pth, .pth.tar, .npz or .h5")
    parser.add_argument("target", help="the .h5 file to write")
    parser.add_argument("--half", action="store_true", help="store in half precision")
    parser.add_argument("--provenance", default="", help="where the numbers come from, and their terms")
    arguments = parser.parse_args()
    try:
        tensors = convert(arguments.source, arguments.target, arguments.half, arguments.provenance)
    except (ConversionError, OSError) as error:
        sys.exit(f"convert_weights: {arguments.source}: {error}")
    except Exception as error:  # a damaged file can fail anywhere in the libraries that read it
        sys.exit(f"convert_weights: {arguments.source}: cannot be read, it is damaged or not what its name says ({type(error).__name__}: {error})")
    print(f"{arguments.target}: {len(tensors)} tensors, {sum(v.size for v in tensors.values())} numbers")


if __name__ == "__main__":
    main()
