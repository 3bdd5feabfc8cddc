import { describe, expect, it } from "vitest"
import { durationMs, parseDuration } from "../src/index.ts"

describe("durations", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["3d", 259_200_000],
    ["0s", 0],
    ["1.5s", 1_500],
    ["0.1s", 100],
    ["5 minutes", 300_000],
    ["1 minute", 60_000],
    ["1 hour", 3_600_000],
    ["90 days", 7_776_000_000]
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(["", "5", "5 m", "5minutes", "-5s", "0.5ms", "5 fortnights", "1e3s", " 5s", "40000d", "∞s"])(
    "refuses %s",
    (text) => {
      expect(parseDuration(text)).toBe(undefined)
    }
  )

  it("refuses a misspelt unit by type, and says what to write", () => {
    expect(durationMs("5 minutes")).toBe(300_000)
    // @ts-expect-error no such unit
    expect(() => durationMs("5 minuets")).toThrow(/write 500ms/)
  })
})
