#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every report format of the sample stream, read by somebody else's reader.

  formats_test.py SAMPLE_STREAM REPORT_REPLAY SCHEMA
"""
import html.parser, json, os, re, shutil, subprocess, sys, tempfile, unittest
import xml.etree.ElementTree as ET

SAMPLE, REPLAY, SCHEMA = sys.argv[1:4]


def run(argv, **more):
    return subprocess.run(argv, capture_output=True, **more)


def write(path, content):
    with open(path, "wb" if isinstance(content, bytes) else "w") as f:
        f.write(content)
    return path


def read(path, mode="r"):
    with open(path, mode, **({} if "b" in mode else {"encoding": "utf-8"})) as f:
        return f.read()


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="formats.")
        cls.stream = write(os.path.join(cls.dir, "stream"), run([SAMPLE]).stdout)
        cls.clean = write(os.path.join(cls.dir, "clean"), run([SAMPLE, "clean"]).stdout)
        cls.out = {}
        argv = [REPLAY, "-source_root", os.path.dirname(os.path.abspath(__file__)) + "/"]
        for name in ("json", "sarif", "junit", "xml", "html"):
            cls.out[name] = os.path.join(cls.dir, "report." + name)
            argv += ["-" + name, cls.out[name]]
        r = run(argv + [cls.stream])
        cls.text, cls.status, cls.problem = r.stdout.decode(errors="replace"), r.returncode, r.stderr.decode()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def read(self, name):
        return read(self.out[name])

    def replay(self, *argv, stream=None):
        return run([REPLAY, *argv, stream or self.stream], text=True, errors="replace")

    def test_status_is_the_programs(self):
        self.assertEqual((self.status, self.problem), (5, ""))

    def test_text_is_counted_by_ctest(self):
        lines = self.text.split("\n")
        self.assertEqual(sum(bool(re.match(r"Error #[0-9]+", l)) for l in lines), 11)
        self.assertIn("Error #1: UNADDRESSABLE ACCESS beyond heap bounds: reading "
                      "0x0000000000007f10-0x0000000000007f11 1 byte(s)", lines)
        self.assertTrue(any(re.match(r"# 0 parse_header +\[/.*sample_stream.c:\d+\]$", l) for l in lines))
        self.assertIn("Note: @0:00:00.210 in thread 43", lines)
        self.assertIn("\tError #   1:      3", lines)
        self.assertIn("      1 unique,     1 total,     56 byte(s) of leak(s)", lines)
        self.assertIn("FINAL SUMMARY:", lines)
        self.assertNotIn("\x01", self.text)

    def test_text_of_a_clean_run_says_so(self):
        r = self.replay(stream=self.clean)
        self.assertIn("NO ERRORS FOUND:", r.stdout)
        self.assertNotRegex(r.stdout, "(?m)^Error #")

    def test_json_fits_its_schema(self):
        report = json.loads(self.read("json"))
        kinds = [e["kind"] for e in report["errors"]]
        self.assertEqual(len(kinds), 12)
        self.assertIn("REACHABLE LEAK", kinds)
        first = report["errors"][0]
        self.assertEqual((first["access"], first["size"], first["count"]), ("read", 1, 3))
        self.assertEqual(os.path.basename(first["frames"][0]["file"]), "sample_stream.c")
        self.assertEqual([a["what"] for a in first["aux"]], ["allocated here"])
        messages = {e.get("number"): e["message"] for e in report["errors"] if e["pid"] == 42}
        self.assertRegex(messages[5], "double")
        self.assertRegex(messages[6], "mismatch")
        self.assertRegex(messages[7], "overlap")
        self.assertTrue(report["summary"]["complete"])
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        jsonschema.validate(report, json.loads(read(SCHEMA)))

    def test_sarif_has_what_github_asks_for(self):
        report = json.loads(self.read("sarif"))
        self.assertEqual(report["version"], "2.1.0")
        (sarif_run,) = report["runs"]
        rules = [r["id"] for r in sarif_run["tool"]["driver"]["rules"]]
        self.assertEqual(len(sarif_run["results"]), 11)
        for result in sarif_run["results"]:
            self.assertEqual(rules[result["ruleIndex"]], result["ruleId"])
            place = result["locations"][0]["physicalLocation"]
            self.assertEqual(place["artifactLocation"], {"uri": "sample_stream.c", "uriBaseId": "%SRCROOT%"})
            self.assertGreater(place["region"]["startLine"], 0)
            self.assertTrue(result["partialFingerprints"] and result["message"]["text"])

        def strings(value):
            for v in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
                yield from strings(v)
            if isinstance(value, str):
                yield value
        self.assertNotIn("", list(strings(report)))

    def test_junit_counts_agree_with_its_cases(self):
        root = ET.fromstring(self.read("junit"))
        suites = root.findall("testsuite")
        self.assertEqual(len(suites), 2)
        for suite in suites:
            self.assertEqual(int(suite.get("tests")), len(suite.findall("testcase")))
            self.assertEqual(int(suite.get("failures")), len(suite.findall("testcase/failure")))

    def test_html_is_balanced_and_self_contained(self):
        class Reader(html.parser.HTMLParser):
            def __init__(self):
                super().__init__()
                self.open, self.wrong, self.links, self.ids = [], [], [], set()

            def handle_starttag(self, tag, attrs):
                if tag not in ("meta", "input", "br"):
                    self.open.append(tag)
                attrs = dict(attrs)
                self.ids.add(attrs.get("id"))
                self.links += [attrs[k] for k in ("src", "href") if k in attrs]

            def handle_endtag(self, tag):
                if not self.open or self.open.pop() != tag:
                    self.wrong.append(tag)
        r, page = Reader(), self.read("html")
        r.feed(page)
        self.assertEqual((r.open, r.wrong), ([], []))
        self.assertTrue(r.links and all(l.startswith("#") and l[1:] in r.ids for l in r.links))
        self.assertIn("return (char *)parse_header + 5;", page)
        self.assertNotIn("<em>", page)

    ORDER = {
        "valgrindoutput": ["protocolversion", "protocoltool", "preamble", "pid", "ppid", "tool", "args", "status", "error*",
                           "status", "error*", "errorcounts", "suppcounts"],
        "error": ["unique", "tid", "threadname?", "kind", "what?", "xwhat?", "stack", "auxwhat|stack*", "suppression?"],
        "frame": ["ip", "obj?", "fn?", "dir?", "file?", "line?"],
        "suppression": ["sname", "skind", "skaux?", "sframe*", "rawtext"],
    }

    def check_order(self, root):
        for element in root.iter():
            if element.tag in self.ORDER:
                pattern = "".join("(?:%s)%s" % (part.rstrip("*?").replace("|", ",|") + ",", part[len(part.rstrip("*?")):])
                                  for part in self.ORDER[element.tag])
                self.assertRegex("".join(child.tag + "," for child in element), "^" + pattern + "$")

    def test_valgrind_xml_has_the_protocols_order(self):
        root = ET.fromstring(self.read("xml"))
        self.check_order(root)
        self.assertEqual(root.findtext("protocolversion"), "4")
        kinds = [e.findtext("kind") for e in root.findall("error")]
        self.assertEqual(kinds, ["InvalidRead", "InvalidWrite", "UninitCondition", "SyscallParam", "InvalidFree",
                                 "MismatchedFree", "Overlap", "FishyValue", "Leak_DefinitelyLost", "Leak_PossiblyLost",
                                 "Leak_StillReachable"])
        self.assertTrue(os.path.exists(self.out["xml"] + ".43"))

    def test_the_order_is_valgrinds_own(self):
        if not shutil.which("valgrind") or not shutil.which("cc"):
            self.skipTest("valgrind or cc is not installed")
        source, exe, xml = (os.path.join(self.dir, n) for n in ("v.c", "v", "v.xml"))
        write(source, "#include <stdlib.h>\nint main(void) { char *volatile p = malloc(8); p[8] = 1; return 0; }\n")
        subprocess.run(["cc", "-g", source, "-o", exe], check=True)
        r = run(["valgrind", "--xml=yes", "--xml-file=" + xml, "--leak-check=full", exe])
        if r.returncode or not os.path.exists(xml):
            self.skipTest("valgrind does not work here")
        root = ET.parse(xml).getroot()
        for counts in root.findall("errorcounts")[:-1]:
            root.remove(counts) # Valgrind writes one after every batch of errors
        self.check_order(root)

    def test_baseline_hides_what_it_knows_from_the_gate(self):
        self.assertEqual(self.replay("-quiet", "-exit_code_if_errors", "9").returncode, 9)
        r = self.replay("-quiet", "-exit_code_if_errors", "9", "-baseline", self.out["json"])
        self.assertEqual((r.returncode, r.stderr), (5, ""))
        self.assertEqual(self.replay("-quiet", "-exit_code_if_errors", "9", stream=self.clean).returncode, 5)

    def test_suppressions_are_counted_and_unused_ones_listed(self):
        rules = os.path.join(self.dir, "rules")
        write(rules, "LEAK\nname=table\n*!make_table\nLEAK\nname=never\n*!nothing\n")
        r = self.replay("-suppress", rules, "-list_unused")
        self.assertIn("\t     4x (leaked    1104 bytes): table\n", r.stdout)
        self.assertIn("SUPPRESSIONS NOT USED:\n\t%s:4: never\n" % rules, r.stdout)
        self.assertNotIn("LEAK 40", r.stdout)

    def test_written_suppressions_hide_everything(self):
        rules = os.path.join(self.dir, "suppress.txt")
        self.replay("-quiet", "-show_reachable", "-suppressions", rules)
        r = self.replay("-show_reachable", "-suppress", rules, "-list_unused")
        self.assertNotRegex(r.stdout, "(?m)^Error #")

    def test_modules_without_debug_information_are_named(self):
        missing = os.path.join(self.dir, "missing")
        stripped = os.path.join(self.dir, "stripped")
        subprocess.run(["strip", "-o", stripped, SAMPLE], check=True)
        stream = write(os.path.join(self.dir, "stripped.stream"), run([stripped]).stdout)
        r = self.replay("-missing", missing, stream=stream)
        self.assertEqual(read(missing), stripped + ": no debug information: compile with -g, and do not strip\n")
        self.assertRegex(r.stdout, r"(?m)^# 0 <stripped\+0x[0-9a-f]+>$")
        self.replay("-missing", missing)
        self.assertEqual(read(missing), "")

    def test_a_bad_suppression_file_is_status_2(self):
        rules = os.path.join(self.dir, "bad")
        write(rules, "LEAK\nno frame\n")
        r = self.replay("-suppress", rules)
        self.assertEqual((r.returncode, r.stdout), (2, ""))
        self.assertTrue(r.stderr.startswith(rules + ":2: "))

    def test_a_cut_stream_gives_what_it_has_and_closes_the_gate(self):
        whole = read(self.clean, "rb")
        cut = os.path.join(self.dir, "cut")
        write(cut, whole[:-10])
        r = self.replay("-exit_code_if_errors", "7", stream=cut)
        self.assertEqual(r.returncode, 7)
        self.assertIn("THE REPORT IS INCOMPLETE: the record stream ends in the middle of a record.", r.stdout)

    def test_percent_p_makes_one_file_a_process(self):
        self.replay("-quiet", "-json", os.path.join(self.dir, "r%%.%p.json"))
        pids = [json.loads(read(os.path.join(self.dir, "r%%.%d.json" % pid)))["processes"][0]["pid"] for pid in (42, 43)]
        self.assertEqual(pids, [42, 43])

    def test_an_unwritable_report_is_said_and_closes_the_gate(self):
        r = self.replay("-quiet", "-exit_code_if_errors", "7", "-json", "/dev/full", stream=self.clean)
        self.assertEqual(r.returncode, 7)
        self.assertIn("cannot write /dev/full: No space left on device", r.stderr)
        r = self.replay("-quiet", "-json", self.dir + "/none/x.json", stream=self.clean)
        self.assertEqual(r.returncode, 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
