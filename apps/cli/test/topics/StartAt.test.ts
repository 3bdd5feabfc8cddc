/** What `--from` takes. */
import { assert, describe, it } from "@effect/vitest"
import { parseStart } from "../../src/topics/StartAt.ts"

describe("parseStart", () => {
  it("reads offsets, times and the two ends", () => {
    assert.deepStrictEqual(parseStart("0"), { _tag: "Offset", offset: 0 })
    assert.deepStrictEqual(parseStart("123456"), { _tag: "Offset", offset: 123_456 })
    assert.deepStrictEqual(parseStart("start"), { _tag: "Start" })
    assert.deepStrictEqual(parseStart("end"), { _tag: "End" })
    const noon = { _tag: "Time", timeMs: Date.UTC(2026, 0, 14, 12) } as const
    assert.deepStrictEqual(parseStart("2026-01-14T12:00:00Z"), noon)
    assert.deepStrictEqual(parseStart("2026-01-14T12:00:00.000Z"), noon)
    assert.deepStrictEqual(parseStart("2026-01-14T13:00+01:00"), noon)
    assert.deepStrictEqual(parseStart("2026-01-14"), { _tag: "Time", timeMs: Date.UTC(2026, 0, 14) })
  })

  it("refuses the rest, also a time that does not say its zone", () => {
    for (const text of ["", "-1", "1.5", "noon", "2026-01-14T12:00:00", "2026-13-01", "9".repeat(20), "14.01.2026"]) {
      assert.isUndefined(parseStart(text), text)
    }
  })
})
