/** Calendar numbers by arithmetic against `Date`, and zone offsets remembered against asked anew. */
import { describe, expect, it } from "vitest"
import { civilParts } from "../../src/expr/CivilTime.ts"
import { zoneKnown, zoneOffset } from "../../src/expr/Zone.ts"
import { makeChance } from "./Sources.ts"

const reference = {
  FullYear: (date: Date) => date.getUTCFullYear(),
  Month: (date: Date) => date.getUTCMonth(),
  Date: (date: Date) => date.getUTCDate(),
  DayOfMonth: (date: Date) => date.getUTCDate() - 1,
  DayOfWeek: (date: Date) => date.getUTCDay(),
  DayOfYear: (date: Date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000),
  Hours: (date: Date) => date.getUTCHours(),
  Minutes: (date: Date) => date.getUTCMinutes(),
  Seconds: (date: Date) => date.getUTCSeconds(),
  Milliseconds: (date: Date) => date.getUTCMilliseconds()
}
// the record's keys are its own
const parts = Object.keys(reference) as ReadonlyArray<keyof typeof reference>

describe("civilParts", () => {
  it("agree with Date on every day for 280 years and at random times (seed 3)", () => {
    const chance = makeChance(3)
    const times = Array.from({ length: 102_000 }, (_, day) => (day - 50_000) * 86_400_000)
    for (let count = 0; count < 20_000; count++)
      times.push((chance.below(2 ** 32) - 2 ** 31) * 2000 + chance.below(2000))
    for (const part of parts) {
      for (const ms of times) {
        const wanted = reference[part](new Date(ms))
        if (civilParts[part](ms) !== wanted)
          expect({ part, ms, value: civilParts[part](ms) }).toEqual({ part, ms, value: wanted })
      }
    }
  })

  it("cut microseconds towards the past, and give NaN for NaN", () => {
    expect(civilParts.Seconds(59_999.999)).toBe(59)
    expect(civilParts.Milliseconds(-0.001)).toBe(999)
    for (const part of parts) expect(civilParts[part](Number.NaN)).toBeNaN()
  })
})

describe("zoneOffset", () => {
  it.each([
    "Europe/Vienna",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Monrovia",
    "Pacific/Apia"
  ])("of %s agrees with the runtime at random times, also around changes (seed 9)", (zone) => {
    const chance = makeChance(9)
    const offset = zoneOffset(zone)
    const asked = (ms: number) => {
      const shown = new Date(ms).toLocaleString("sv-SE", { timeZone: zone })
      return Date.parse(`${shown.replace(" ", "T")}Z`) - Math.floor(ms / 1000) * 1000
    }
    for (let count = 0; count < 400; count++) {
      const ms =
        chance.below(2) === 0 ? chance.below(2 ** 31) * 1000 : 1_774_746_000_000 + (chance.below(200) - 100) * 60_000
      expect(offset(ms)).toBe(asked(ms))
      expect(offset(ms)).toBe(asked(ms))
    }
    expect(offset(Number.NaN)).toBeNaN()
    expect(offset(-2_000_000_000_000)).toBe(asked(-2_000_000_000_000))
  })

  it("knows fixed offsets and refuses what is no zone", () => {
    expect(zoneOffset("+05:45")(0)).toBe(20_700_000)
    expect(zoneOffset("-11:00")(0)).toBe(-39_600_000)
    expect(["UTC", "Europe/Vienna", "+00:00"].every(zoneKnown)).toBe(true)
    expect(["", "Vienna", "+25:00", "+1", "+0100", "Europe/Vienna; x"].some(zoneKnown)).toBe(false)
  })
})
