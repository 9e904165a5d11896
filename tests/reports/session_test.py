#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The log directories of a run as it happens.

  session_test.py SAMPLE_STREAM REPORT_SESSION
"""
import glob, json, os, re, shutil, subprocess, sys, tempfile, time, unittest

SAMPLE, SESSION = sys.argv[1:3]
STREAM = subprocess.run([SAMPLE], capture_output=True).stdout
CLEAN = subprocess.run([SAMPLE, "clean"], capture_output=True).stdout


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


class Session(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="session.")

    def tearDown(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def run_session(self, stream, *argv, logdir=None):
        return subprocess.run([SESSION, *argv, logdir or self.dir], input=stream, capture_output=True)

    def results(self, pid):
        return read(read(os.path.join(self.dir, "resfile.%d" % pid)).splitlines()[0])

    def test_ctest_finds_a_resfile_for_every_process(self):
        self.run_session(STREAM)
        for pid, errors in (42, 10), (43, 1):
            self.assertEqual(len(re.findall("(?m)^Error #[0-9]+", self.results(pid))), errors)
        names = sorted(os.listdir(os.path.dirname(read(os.path.join(self.dir, "resfile.42")).strip())))
        self.assertEqual(names, ["missing_symbols.txt", "results.txt", "suppress.txt"])

    def test_only_the_root_and_processes_with_errors_get_a_directory(self):
        self.run_session(CLEAN + CLEAN.replace(b"\x2a\0\0\0", b"\x2b\0\0\0"))
        self.assertEqual(len(glob.glob(self.dir + "/DrMemory-*.42.000")), 1)
        self.assertEqual(glob.glob(self.dir + "/DrMemory-*.43.*"), [])
        self.assertTrue(os.path.exists(self.dir + "/resfile.43"))
        self.assertIn("NO ERRORS FOUND:", self.results(42))

    def test_a_second_run_of_the_same_pid_gets_the_next_number(self):
        self.run_session(CLEAN)
        self.run_session(CLEAN)
        self.assertEqual(len(glob.glob(self.dir + "/DrMemory-*.42.001")), 1)

    def test_errors_are_on_disk_as_they_happen(self):
        p = subprocess.Popen([SESSION, "-quiet", self.dir], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(STREAM[:STREAM.index(b"register eax")])
        p.stdin.flush()
        for _ in range(500): # two errors are complete in this part
            names = glob.glob(self.dir + "/DrMemory-*.42.000/results.txt")
            if names and "Error #2:" in read(names[0]):
                break
            time.sleep(0.02)
        self.assertIn("Error #2:", read(names[0]))
        p.kill()
        p.communicate()

    def test_console_lines_are_prefixed_and_quiet_has_none(self):
        r = self.run_session(STREAM)
        lines = r.stderr.decode(errors="replace").splitlines()
        self.assertTrue(lines and all(l.startswith("~~Dr.M~~ ") for l in lines))
        last = [l for l in lines if "Details:" in l][-1]
        self.assertRegex(last, r"^~~Dr.M~~ Details: /.*results\.txt$")
        self.assertEqual(self.run_session(STREAM, "-quiet").stderr, b"")

    def test_a_cut_stream_still_gets_its_summary(self):
        r = self.run_session(STREAM[:-100])
        self.assertEqual(r.returncode, 1)
        self.assertIn("FINAL SUMMARY:", self.results(42))
        self.assertIn("THE REPORT IS INCOMPLETE:", self.results(43))

    def test_bytes_may_come_one_at_a_time(self):
        self.assertEqual(self.run_session(STREAM, "-slow").returncode, 0)
        self.assertIn("Error #10:", self.results(42))

    def test_a_directory_that_cannot_be_written_is_said_once(self):
        r = self.run_session(STREAM, logdir=self.dir + "/none")
        self.assertEqual(r.returncode, 1)
        text = r.stderr.decode(errors="replace")
        self.assertEqual(text.count("the report is incomplete: cannot write"), 1)
        self.assertIn("Error #1:", text)

    def test_report_files_are_written_at_the_end(self):
        self.run_session(STREAM, "-json", self.dir + "/r.json")
        self.assertEqual(len(json.loads(read(self.dir + "/r.json"))["errors"]), 12)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
