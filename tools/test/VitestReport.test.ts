import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { told } from "../src/VitestReport.ts"

const report = {
  numPassedTests: 2,
  numFailedTests: 1,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [
    { name: join(process.cwd(), "a.test.ts"), status: "passed", assertionResults: [] },
    {
      name: join(process.cwd(), "b.test.ts"),
      status: "failed",
      assertionResults: [
        { fullName: "b stands", status: "passed" },
        { fullName: "b falls", status: "failed" }
      ]
    }
  ]
}

describe("Vitest's report", () => {
  it("tells counts, files with failures and the tests that failed", () => {
    assert.deepStrictEqual(told("counts", report), ["2 1 2"])
    assert.deepStrictEqual(told("files", report), ["b.test.ts"])
    assert.deepStrictEqual(told("names", report), ["b.test.ts: b falls"])
  })
})
