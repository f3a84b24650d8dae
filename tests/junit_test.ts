import { assertEquals } from "@std/assert";
import { parseJunit } from "./_junit.ts";
import { test } from "./_harness.ts";

test("parseJunit() reads the reports of Deno, Bun and Node", () => {
  const deno = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="3" failures="1" errors="0" time="0.1">
    <testsuite name="./a_test.ts" tests="3" disabled="1" errors="0" failures="1">
        <testcase name="ok &lt;a&gt; &amp; &quot;b&quot;" classname="./a_test.ts" time="0.0" line="1" col="1">
        </testcase>
        <testcase name="left out" classname="./a_test.ts" time="0.0" line="2" col="1">
            <skipped/>
        </testcase>
        <testcase name="bad" classname="./a_test.ts" time="0.0" line="3" col="1">
            <failure message="Uncaught Error: a &lt; b">Error: a &lt; b
    at file:///a_test.ts:4:27</failure>
        </testcase>
    </testsuite>
</testsuites>`;
  const bun = `<testsuite name="a_test.ts" tests="3">
    <testcase name="ok &lt;a&gt; &amp; &quot;b&quot;" classname="" time="0.0" line="63" assertions="0" />
    <testcase name="left out" classname="" time="0" line="63" assertions="0">
      <skipped />
    </testcase>
    <testcase name="bad" classname="" time="0.0" line="63" assertions="0">
      <failure type="Error" message="Uncaught Error: a &lt; b">Error&#10;</failure>
    </testcase>
  </testsuite>`;
  const node = `<testsuites>
	<testcase name="ok &lt;a> &amp; &amp;quot;b&amp;quot;" time="0.0" classname="test" file="/a_test.ts"/>
	<testcase name="left out" time="0.0" classname="test">
		<skipped type="skipped" message="why"/>
	</testcase>
	<testcase name="bad" time="0.0" classname="test" failure="Uncaught Error: a &lt; b >">
		<failure type="testCodeFailure" message="Uncaught Error: a &lt; b">
[Error [ERR_TEST_FAILURE]: a &lt; b] { }
		</failure>
	</testcase>
	<!-- tests 3 -->
</testsuites>`;
  for (const report of [deno, bun, node]) {
    assertEquals(parseJunit(report), [
      { name: 'ok <a> & "b"', outcome: "passed", message: "" },
      { name: "left out", outcome: "skipped", message: "" },
      { name: "bad", outcome: "failed", message: "Uncaught Error: a < b" },
    ]);
  }
});

test("parseJunit() reads a report that was cut off", () => {
  assertEquals(parseJunit('<testsuites>\n<testcase name="a"/>\n<testcase name="b"'), [
    { name: "a", outcome: "passed", message: "" },
  ]);
});
