/** What `--save` writes and what it keeps. */
import { assert, describe, it } from "@effect/vitest"
import { withTable } from "../../src/support/ResultsFile.ts"

describe("RESULTS.md", () => {
  it("takes another table, and keeps what was written by hand below the mark", () => {
    const first = withTable(undefined, "| a |")
    assert.match(first, /^# Results\n[^]*\n\| a \|\n\n<!-- .* -->\n\n## What is missed\n/)
    const edited = `${first}\nW4: the profile says hashing.\n`
    const second = withTable(edited, "| b |")
    assert.notInclude(second, "| a |")
    assert.include(second, "| b |")
    assert.isTrue(second.endsWith("W4: the profile says hashing.\n"))
    assert.strictEqual(withTable(second, "| b |"), second)
  })

  it("is not overwritten when the mark is gone", () => {
    assert.throws(() => withTable("# Results\nall by hand", "| b |"), /has lost the line/)
  })
})
