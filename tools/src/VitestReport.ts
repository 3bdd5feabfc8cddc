/**
 * `bun tools/src/VitestReport.ts counts|files|names REPORT.json`: what a JSON report of Vitest says, a line each, for `.ci/run`.
 */
import { readFileSync } from "node:fs"
import { relative } from "node:path"

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly assertionResults: ReadonlyArray<{ readonly fullName: string; readonly status: string }>
  }>
}

/** `passed failed skipped`; the files with failures; or the full names of the tests that failed. */
export const told = (what: string, report: Report): ReadonlyArray<string> => {
  const failed = report.testResults.filter(({ status }) => status === "failed")
  switch (what) {
    case "counts":
      return [[report.numPassedTests, report.numFailedTests, report.numPendingTests + report.numTodoTests].join(" ")]
    case "files":
      return failed.map(({ name }) => relative(process.cwd(), name))
    default:
      return failed.flatMap(({ assertionResults, name }) =>
        assertionResults
          .filter(({ status }) => status === "failed")
          .map(({ fullName }) => `${relative(process.cwd(), name)}: ${fullName}`)
      )
  }
}

if (import.meta.main) {
  const [what = "", file = ""] = process.argv.slice(2)
  // the report is Vitest's own and as its version here writes it
  for (const line of told(what, JSON.parse(readFileSync(file, "utf8")) as Report)) console.log(line)
}
