import { describe, expect, it } from "vitest"
import { CalendarDate, Timestamp } from "../src/index.ts"
import { makeChance } from "./decode/RecordCases.ts"

const parsed = (text: string): Timestamp => {
  const timestamp = Timestamp.parse(text)
  if (timestamp === undefined || timestamp === "out_of_range") throw new Error(`not read: ${text}`)
  return timestamp
}

describe("Timestamp", () => {
  it.each([
    ["2026-01-14T23:45:00.000Z", "2026-01-14T23:45:00.000Z"],
    ["2026-01-14T23:45:00Z", "2026-01-14T23:45:00.000Z"],
    ["2026-01-14T23:45:00.1Z", "2026-01-14T23:45:00.100Z"],
    ["2026-01-14T23:45:00.123456Z", "2026-01-14T23:45:00.123456Z"],
    ["2026-01-14T23:45:00.0000019Z", "2026-01-14T23:45:00.000001Z"],
    ["2026-01-14T23:45:00+01:00", "2026-01-14T22:45:00.000Z"],
    ["2026-01-14T23:45:00-01:30", "2026-01-15T01:15:00.000Z"],
    ["1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"],
    ["2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"]
  ])("reads %s and writes %s", (text, wanted) => {
    expect(Timestamp.format(parsed(text))).toBe(wanted)
  })

  it.each([
    "2026-01-14T23:45:00",
    "2026-01-14T23:45Z",
    "2026-01-14 23:45:00Z",
    "2026-01-14T23:45:00.Z",
    "2026-01-14T23:45:60Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-01-14T23:45:00+0100",
    "2026-01-14T23:45:00+24:00",
    "yesterday",
    ""
  ])("refuses %s", (text) => {
    expect(Timestamp.parse(text)).toBe(undefined)
  })

  it("keeps every microsecond up to 2^42 milliseconds, and nothing from there on", () => {
    expect(Timestamp.parse("2109-05-15T07:35:11.103999Z")).toBe(2 ** 42 - 1 + 0.999)
    expect(Timestamp.parse("2109-05-15T07:35:11.104Z")).toBe("out_of_range")
    expect(() => Timestamp.make(2 ** 42)).toThrow(/between/)
    expect(() => Timestamp.make(Number.NaN)).toThrow(/between/)
    const chance = makeChance(3)
    for (let round = 0; round < 20_000; round++) {
      const micros = chance.below(2 ** 42 - 1) * 1000 + chance.below(1000)
      const timestamp = Timestamp.fromMicros(micros)
      expect(Timestamp.toMicros(timestamp)).toBe(micros)
      expect(Timestamp.parse(Timestamp.format(timestamp))).toBe(timestamp)
    }
  })

  it("agrees with the calendar of the platform", () => {
    const chance = makeChance(4)
    for (let round = 0; round < 20_000; round++) {
      const ms = chance.below(2 ** 42) * (chance.oneIn(3) ? -1 : 1)
      const text = new Date(ms).toISOString()
      expect(Timestamp.parse(text)).toBe(ms)
      expect(Timestamp.format(Timestamp.make(ms))).toBe(text)
    }
  })

  it("adds durations", () => {
    const start = parsed("2026-01-14T23:45:00Z")
    expect(Timestamp.plus(start, "5 minutes") - start).toBe(300_000)
    expect(Timestamp.plus(start, -1) - start).toBe(-1)
  })
})

describe("CalendarDate", () => {
  it("reads and writes every date of the years 1 to 9999", () => {
    const chance = makeChance(5)
    expect(CalendarDate.parse("1970-01-01")).toBe(0)
    for (let round = 0; round < 20_000; round++) {
      const ms = Date.UTC(2000, 0, 1) + (chance.below(3_600_000) - 729_000) * 86_400_000
      const text = new Date(ms).toISOString().slice(0, 10)
      if (!/^[0-9]{4}-/.test(text) || text.startsWith("0000")) continue
      expect(CalendarDate.parse(text)).toBe(ms / 86_400_000)
      expect(CalendarDate.format(CalendarDate.make(ms / 86_400_000))).toBe(text)
    }
  })

  it.each(["0000-12-31", "2026-02-29", "2026-1-14", "2026-01-14T00:00:00Z", "20260114", ""])("refuses %s", (text) => {
    expect(CalendarDate.parse(text)).toBe(undefined)
  })

  it("is no fraction and no year 10000", () => {
    expect(() => CalendarDate.make(0.5)).toThrow(/whole/)
    expect(() => CalendarDate.make(2_932_897)).toThrow(/9999/)
  })
})
