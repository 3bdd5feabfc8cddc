/** What a workload told is compared with plain loops over the first lines; a wrong answer is found, an odd line is not judged. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { checkAnswer } from "../../src/support/CheckedAnswer.ts"
import { copyFirstLines } from "../../src/support/FirstLines.ts"
import { transaction } from "../workload/Lines.ts"

const folder = mkdtempSync(join(tmpdir(), "frazil-checked-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const fileOf = (name: string, content: string): string => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

const start = Date.UTC(2026, 0, 14)
const lines = [transaction(1, start), transaction(2, start + 1, { amount: "10000.01", country: '"DE"' }), "{"]
/** By hand. */
const right = {
  n: 3,
  high: 1,
  review: 0,
  clean: 1,
  invalid: 1,
  rules: [1, 1, 0, 0, 0],
  amount_cents: 1_000_126
}

describe("a workload's answer", () => {
  it("is checked, found to differ by its fields, or told not to be checked", () => {
    const file = fileOf("three.ndjson", lines.join("\n"))
    assert.deepStrictEqual(checkAnswer("w1", file, right, folder), { answer: "checked", answer_lines: 3 })
    const wrong = { ...right, high: 2, amount_cents: 1_000_127 }
    assert.deepStrictEqual(checkAnswer("w1", file, wrong, folder).answer, "differs: high, amount_cents")
    const odd = fileOf("odd.ndjson", `${lines[0]}\n${transaction(3, start, { amount: '"1.5"' })}\n`)
    assert.strictEqual(
      checkAnswer("w1", odd, right, folder).answer,
      "not checked: line 2 is of a form that the reference does not judge"
    )
  })

  it("is looked at over the first lines, whole ones", () => {
    const text = ["one", "two", "x".repeat(3_000_000), "four"]
    const copied = (content: string, count: number) => {
      const to = join(folder, "copied")
      const cut = copyFirstLines(fileOf("whole", content), to, count)
      return [cut, readFileSync(to, "utf8")] as const
    }
    const content = text.join("\n")
    assert.deepStrictEqual(copied(content, 2), [true, "one\ntwo\n"])
    assert.deepStrictEqual(copied(content, 3), [true, `${text.slice(0, 3).join("\n")}\n`])
    assert.deepStrictEqual(copied(content, 4), [false, content])
    assert.deepStrictEqual(copied(`${content}\n`, 4), [false, `${content}\n`])
    assert.deepStrictEqual(copied("", 4), [false, ""])
  })
})
