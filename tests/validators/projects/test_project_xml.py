import pytest

from validators.projects.results import explain_failures
from validators.projects.xml_reports import read_junit, read_node, read_trx

NODE = """<?xml version="1.0" encoding="utf-8"?>
<testsuites>
<testcase name="test/cheat.test.js" time="0.04" classname="test"/>
<testcase name="adds" time="0.001" classname="test" failure="no">
<failure type="testCodeFailure" message="no">
Error [ERR_TEST_FAILURE]: no
    at AsyncResource.runInAsyncScope (node:async_hooks:206:9) {
  cause: AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

  -1 !== 5

      at TestContext.&lt;anonymous> (test/sum.test.js:2:27)
      at Test.run (node:internal/test_runner/test:796:25) {
    generatedMessage: true,
    code: 'ERR_ASSERTION',
    actual: -1,
    expected: 5,
    operator: 'strictEqual'
  }
}
</failure></testcase>
<testsuite name="grp"><testcase name="inner" classname="test"/></testsuite>
<testcase name="later" classname="test"><skipped type="skipped" message="true"/></testcase>
</testsuites>"""
PHPUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="all"><testsuite name="SumTest" file="tests/SumTest.php">
<testcase name="testAdds" class="SumTest" classname="SumTest" file="tests/SumTest.php" line="4">
<failure type="F">SumTest::testAdds
Failed asserting that -1 is identical to 5.

tests/SumTest.php:9</failure></testcase>
<testcase name="testOk" classname="SumTest" line="x"/>
</testsuite></testsuite></testsuites>"""
CTEST = """<testsuite name="(empty)"><testcase name="adds" classname="adds" status="fail">
<failure message=""/>
<system-out>t: t.c:4: main: Assertion `add(2,3)==5' failed.</system-out></testcase>
<testcase name="fine" classname="fine" status="run">
<system-out>t.c:1: loud</system-out></testcase></testsuite>"""
SUREFIRE = """<?xml version="1.0"?><testsuite name="x.SumTest">
<testcase name="adds" classname="x.SumTest"><error message="no" type="E">
org.opentest4j.AssertionFailedError: expected: &lt;5&gt; but was: &lt;6&gt;
	at org.junit.jupiter.api.AssertionUtils.fail(AssertionUtils.java:55)
	at x.SumTest.adds(SumTest.java:7)
</error></testcase></testsuite>"""
TRX = """<?xml version="1.0"?><TestRun xmlns="urn:x">
<Results>
<UnitTestResult testName="Sums.Adds" outcome="Failed">
<Output><ErrorInfo><Message>Assert.Equal() Failure
Expected: 5
Actual:   -1</Message><StackTrace>   at Sums.Adds() in SumTests.cs:line 8
</StackTrace></ErrorInfo></Output></UnitTestResult>
<UnitTestResult testName="Sums.Ok" outcome="Passed"/>
<UnitTestResult testName="Sums.Later" outcome="NotExecuted"/>
</Results></TestRun>"""


def test_a_failure_of_node_says_where_what_was_expected_and_what_came():
    report = read_node(NODE)

    remarks = explain_failures([one for one in report.results if one.name == "adds"], {"test/sum.test.js"})

    assert report.whole
    assert (remarks[0].file, remarks[0].line) == ("test/sum.test.js", 2)
    assert remarks[0].message.startswith("adds: expected: 5, got: -1\nAssertionError")
    assert "node:internal" not in remarks[0].message
    assert "generatedMessage" not in remarks[0].message
    assert report.names("passed") == {"grp > inner"}
    assert report.names("skipped") == {"later"}


def test_a_file_that_node_counts_as_a_test_is_a_file_that_ended_before_its_tests():
    assert "test/cheat.test.js" in read_node(NODE).names("failed")


def test_a_failure_of_phpunit_has_the_place_of_the_assertion():
    report = read_junit(PHPUNIT)

    (remark,) = explain_failures(report.results[:1], {"tests/SumTest.php"})

    assert (remark.file, remark.line) == ("tests/SumTest.php", 9)
    assert "Failed asserting that -1 is identical to 5." in remark.message
    assert report.names("passed") == {"SumTest > testOk"}


def test_a_failure_of_ctest_has_what_the_program_wrote():
    report = read_junit(CTEST)

    (remark,) = explain_failures([report.results[0]], {"t.c"})

    assert (remark.file, remark.line) == ("t.c", 4)
    assert "add(2,3)==5" in remark.message
    assert report.results[1].text == ""


def test_a_failure_of_surefire_has_the_line_of_the_test_and_no_stack():
    (remark,) = explain_failures(read_junit(SUREFIRE).results, {"src/test/java/x/SumTest.java"})

    assert (remark.file, remark.line) == ("src/test/java/x/SumTest.java", 7)
    assert "expected: <5> but was: <6>" in remark.message
    assert "AssertionUtils" not in remark.message


def test_a_report_of_dotnet_is_read():
    report = read_trx(TRX)

    assert (report.names("passed"), report.names("skipped")) == ({"Sums.Ok"}, {"Sums.Later"})
    assert "Expected: 5" in report.results[0].text


def test_several_documents_after_another_are_one_report():
    report = read_junit(SUREFIRE + SUREFIRE)

    assert [result.name for result in report.results] == ["x.SumTest > adds", "x.SumTest > adds (2)"]


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    '<testsuite><testcase name="&b;"/></testsuite>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite><testcase name="a"/></testsuite>'
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        OUTSIDE,
        "<testsuite>" * 100_000,
        "no xml",
        "",
        "<testsuite><testcase name='a'",
        "<testsuite><testcase name='a'/></testsuite>" + " " * 5_000_000,
        "\0",
        "</testcase><skipped/>",
    ],
    ids=["entities", "external", "deep", "text", "empty", "cut", "large", "nul", "crossed"],
)
def test_a_hostile_or_broken_report_is_not_whole(text):
    assert not read_junit(text).whole


def test_what_came_before_a_cut_counts():
    assert read_junit('<testsuite><testcase name="a"/><testcase').names("passed") == {"a"}


def test_what_failed_is_not_skipped_by_a_later_word():
    report = read_junit('<testcase name="a"><failure message="m"/><skipped/></testcase>')

    assert report.names("failed") == {"a"}


def test_names_of_suites_do_not_multiply_and_very_many_documents_are_not_whole():
    report = read_junit(f'<testsuite name="{"x" * 10_000}"><testcase name="a"/></testsuite>')

    assert len(report.results[0].name) < 2000
    assert not read_junit('<?xml version="1.0"?><a/>' * 6000).whole
