# SPDX-License-Identifier: MIT
"""`atomtrack trax` as an evaluator meets it: the client's side of TraX over pipes and a socket. Run by ctest; `python3 test_trax.py ATOMTRACK WEIGHTS`."""
import base64
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import numpy as np

ATOMTRACK, WEIGHTS = sys.argv[1], sys.argv[2]
WIDTH, HEIGHT = 120, 90


def picture(number):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    image = np.stack([40 + x % 90, 90 + y % 60, 120 + 0 * x], -1)
    left, top = 30 + 2 * number, 20 + number
    inside = (x >= left) & (x < left + 28) & (y >= top) & (y < top + 24)
    texture = np.stack([60 + 150 * ((x - left) // 4 + (y - top) // 3) % 2, 200 - 4 * ((x - left) % 30), 30 + 9 * ((y - top) % 20)], -1)
    return np.where(inside[..., None], texture, image).astype(np.uint8)


def png(pixels):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def text64(data):
    return base64.b64encode(data).decode()


def memory(number):
    return f"image:{WIDTH};{HEIGHT};rgb;" + text64(picture(number).tobytes())


def quoted(argument):
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def parsed(line):
    """Name, arguments, properties of a line the server wrote; it quotes every argument."""
    name, _, rest = line.partition(" ")
    words = [re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', rest)]
    return name, [w for w in words if "=" not in w], dict(w.split("=", 1) for w in words if "=" in w)


class Session:
    """A client over pipes."""

    def __init__(self, *options, variant="no-classifier"):  # starts quickly
        command = [ATOMTRACK, "trax", "--weights", WEIGHTS, "--device", "cpu", "--variant", variant, *options]
        environment = {key: value for key, value in os.environ.items() if key != "TRAX_SOCKET"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.hello = parsed(self.process.stdout.readline().rstrip("\n"))

    def send(self, name, *arguments):
        self.raw("@@TRAX:" + " ".join([name, *map(quoted, arguments)]) + "\n")

    def raw(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def ask(self, name, *arguments):
        self.send(name, *arguments)
        return parsed(self.process.stdout.readline().rstrip("\n"))

    def box(self, name, *arguments):
        answer, regions, _ = self.ask(name, *arguments)
        assert answer == "@@TRAX:state", (answer, regions)
        return [float(number) for number in regions[0].split(",")]

    def end(self):
        """Exit status, what was left on stdout, stderr."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


class Trax(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def file(self, number, name=None):
        path = os.path.join(self.folder.name, name or f"{number}.png")
        with open(path, "wb") as file:
            file.write(png(picture(number)))
        return "file://" + path

    def data(self, number):
        return "data:image/png;base64;" + text64(png(picture(number)))

    def test_every_image_format_gives_the_same_boxes(self):
        runs = []
        for form in (self.file, memory, self.data):
            session = Session(variant="atom")
            boxes = [session.box("initialize", form(0), "30,20,28,24")] + [session.box("frame", form(n)) for n in (1, 2, 3)]
            session.send("quit")
            self.assertEqual(session.end(), (0, "", ""))
            runs.append(boxes)
        self.assertEqual(runs[0][0], [30, 20, 28, 24])
        x, y, width, height = runs[0][3]
        self.assertLess(abs(x + width / 2 - 50) + abs(y + height / 2 - 35), 8)  # it follows the target
        for boxes in runs[1:]:
            self.assertEqual(boxes, runs[0])

    def test_hello_and_properties(self):
        session = Session()
        name, arguments, properties = session.hello
        self.assertEqual((name, arguments), ("@@TRAX:hello", []))
        self.assertEqual(properties["trax.version"], "3")
        self.assertEqual(properties["trax.image"], "path;memory;data;")
        self.assertEqual(properties["trax.region"], "rectangle;polygon;")
        self.assertEqual(properties["trax.name"], "atomtrack")
        session.raw("lines that are not of the protocol\n\n")
        session.raw(f"@@TRAX:initialize {memory(0)} 30,20,28,24 \"note=a \\\"quoted\\\" value\" speed=fast\r\n")
        _, regions, properties = parsed(session.process.stdout.readline())
        self.assertEqual(regions, ["30.0000,20.0000,28.0000,24.0000"])
        self.assertGreater(float(properties["confidence"]), 0)
        session.process.stdin.close()  # a client that goes without a word
        self.assertEqual(session.process.wait(60), 0)
        session.process.stdout.close()
        session.process.stderr.close()

    def test_regions_and_starting_again(self):
        session = Session()
        # A square of side 20 turned by 45 degrees: the box around it is twice as large, sqrt(1/2) of 28.28 and a pixel are left.
        diamond = "44,18,58.1421,32.1421,44,46.2843,29.8579,32.1421"
        x, y, width, height = session.box("initialize", memory(0), diamond)
        self.assertAlmostEqual(width, 21, places=3)
        self.assertAlmostEqual(height, 21, places=3)
        self.assertAlmostEqual(x + width / 2, 44, places=3)
        session.box("frame", memory(1))
        self.assertEqual(session.box("initialize", memory(2), "30,20,50,20,40,44"), [30, 20, 20, 24])
        session.send("quit")
        self.assertEqual(session.end()[0], 0)
        around = Session("--polygon", "around")
        self.assertAlmostEqual(around.box("initialize", memory(0), diamond)[2], 28.2842, places=3)
        around.send("quit")
        self.assertEqual(around.end()[0], 0)

    def test_unusual_paths_and_pixels(self):
        session = Session()
        path = self.file(0, 'a "b" c\\d=1%20.png')
        self.assertEqual(session.box("initialize", path, "30,20,28,24"), [30, 20, 28, 24])
        self.file(1, "with space.png")
        session.box("frame", f"file://{self.folder.name}/with%20space.png")
        session.box("frame", self.data(1).replace("base64;", "base64,"))  # as in RFC 2397
        grey = picture(1)[..., 0]
        session.box("frame", f"image:{WIDTH};{HEIGHT};gray8;" + text64(grey.tobytes()))
        session.box("frame", f"image:{WIDTH};{HEIGHT};gray16;" + text64((grey.astype(np.uint16) * 257).tobytes()))
        session.send("quit")
        self.assertEqual(session.end()[0], 0)

    def test_a_socket(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            environment = dict(os.environ, TRAX_SOCKET=str(server.getsockname()[1]))
            process = subprocess.Popen([ATOMTRACK, "trax", "--weights", WEIGHTS, "--device", "cpu"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
            connection, _ = server.accept()
            with connection, connection.makefile("rw") as stream:
                self.assertTrue(stream.readline().startswith("@@TRAX:hello "))
                stream.write(f"@@TRAX:initialize {quoted(memory(0))} 30,20,28,24\n")
                stream.flush()
                self.assertTrue(stream.readline().startswith('@@TRAX:state "30.0000,20.0000,28.0000,24.0000"'))
                stream.write("@@TRAX:quit\n")
                stream.flush()
                out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out, err), (0, b"", b""))
        environment = dict(os.environ, TRAX_SOCKET="none")
        refused = subprocess.run([ATOMTRACK, "trax", "--weights", WEIGHTS], capture_output=True, text=True, env=environment, timeout=60)
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertIn("TRAX_SOCKET=none", refused.stderr)

    def test_what_is_inappropriate_ends_the_session_with_a_reason(self):
        image = memory(0)
        cases = [("@@TRAX:frame " + image, "before"), ("@@TRAX:dance", "dance"), (f"@@TRAX:initialize {image} 1,2,30,20 40,2,30,20", "several objects"),
                 (f"@@TRAX:initialize {image} 1,2,3", "region"), ("@@TRAX:initialize file:///no/such.png 1,2,30,20", "/no/such.png"),
                 ("@@TRAX:initialize image:4;4;rgb;AAAA 1,2,30,20", "expected 48"), ("@@TRAX:initialize image:1;1;gray8;A*AA 1,2,30,20", "base64"),
                 ("@@TRAX:initialize data:image/png;base64;AAAA 1,2,30,20", "png"), ('@@TRAX:initialize "image', "quote")]
        for line, reason in cases:
            with self.subTest(line=line[:60]):
                session = Session()
                session.raw(line + "\n")
                status, out, err = session.end()
                name, _, properties = parsed(out.rstrip("\n"))
                self.assertEqual((status, name), (2, "@@TRAX:quit"), out + err)
                self.assertIn(reason, properties["trax.reason"])
                self.assertEqual(len(err.strip().splitlines()), 1, err)
                self.assertTrue(err.startswith("atomtrack: "), err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
