/** SQL's three values: the truth tables, and that a condition without a value holds in neither sense. */
import { describe, expect, it } from "vitest"
import { expr } from "../../src/index.ts"
import { checked, record, runAll } from "./Fixture.ts"

const holds = (source: string, change: Readonly<Record<string, unknown>>): boolean => {
  const values = runAll(checked(expr(source)), record(change))
  expect(new Set(values).size).toBe(1)
  return values[0] === true
}

/** "true", "false" or "unknown": what a condition is, seen from outside through itself and its negation. */
const valueOf = (source: string, change: Readonly<Record<string, unknown>>): string => {
  const yes = holds(source, change)
  const no = holds(`!(${source})`, change)
  expect(yes && no).toBe(false)
  return yes ? "true" : no ? "false" : "unknown"
}

const nulls = { country: null, total: null, score: null, flag: null, fee: null, huge: null, seen: null, born: null }

describe("without a value", () => {
  it.each([
    "total == 1",
    "total != 1",
    "total < 1",
    "total >= 1",
    "total + 1 > 0",
    "total == total",
    "total != total",
    "1 in [2] && total > 1 || total > 1",
    "total in [1, 2]",
    "!(total in [1, 2])",
    "score * 0.0 == 0.0",
    "score < 1",
    "fee > 1",
    "fee == 0.00005",
    "fee != 0.00005",
    "fee + huge > amount",
    "fee in [1.5]",
    "huge * 2 == huge + huge",
    "country == 'DE'",
    "country != 'DE'",
    "country < 'DE'",
    "country == country",
    "country in ['DE', 'FR']",
    "country + 'x' == 'x'",
    "country.startsWith('')",
    "country.endsWith('')",
    "merchant.contains(country)",
    "country.matches('')",
    "size(country) >= 0",
    "int(country) == 0",
    "seen < at",
    "seen in [timestamp('2026-01-01T00:00:00Z')]",
    "at - seen > duration('1s')",
    "seen + duration('1s') > at",
    "seen.getHours() == 0",
    "seen.getHours('Europe/Vienna') == 0",
    "(at - seen).getHours() == 0",
    "born == born",
    "string(total) == ''",
    "string(seen) == ''",
    "string(born) == ''",
    "string(fee) == ''",
    "string(flag) == ''",
    "flag",
    "!flag",
    "flag == flag",
    "flag != true",
    "flag == (total > 1)",
    "online ? true : flag"
  ])("%s is unknown for nulls", (source) => {
    expect(valueOf(source, nulls)).toBe("unknown")
  })

  it.each([
    ["count / (count - 7) == 1"],
    ["count % (count - 7) == 1"],
    ["lat / (lat - lat) > 0.0"],
    ["total + 1 > 0"],
    ["total * total > 0"],
    ["int('x') == 1"],
    ["double('x') == 1.0"]
  ])("%s is unknown where the operation fails", (source) => {
    expect(valueOf(source, { total: Number.MAX_SAFE_INTEGER })).toBe("unknown")
  })
})

describe("Kleene's tables", () => {
  const operands = { true: "count == 7", false: "count == 8", unknown: "total == 1" } as const
  type Truth = keyof typeof operands
  const truths: ReadonlyArray<Truth> = ["true", "false", "unknown"]
  const and = (a: Truth, b: Truth): Truth =>
    a === "false" || b === "false" ? "false" : a === "true" && b === "true" ? "true" : "unknown"
  const not = (a: Truth): Truth => (a === "true" ? "false" : a === "false" ? "true" : "unknown")
  const cases = truths.flatMap((a) => truths.map((b) => [a, b] as const))

  it.each(cases)("%s with %s", (a, b) => {
    const [left, right] = [operands[a], operands[b]]
    expect(valueOf(`${left} && ${right}`, nulls)).toBe(and(a, b))
    expect(valueOf(`${left} || ${right}`, nulls)).toBe(not(and(not(a), not(b))))
    expect(valueOf(`(${left}) == (${right})`, nulls)).toBe(
      a === "unknown" || b === "unknown" ? "unknown" : String(a === b)
    )
    expect(valueOf(`(${left}) != (${right})`, nulls)).toBe(
      a === "unknown" || b === "unknown" ? "unknown" : String(a !== b)
    )
    // what is not true takes the other branch, as SQL's CASE does
    expect(valueOf(`(${left}) ? (${right}) : online`, nulls)).toBe(a === "true" ? b : "false")
    // in both forms at once
    expect(valueOf(`string(${left} && ${right}) == 'true'`, nulls)).toBe(
      and(a, b) === "unknown" ? "unknown" : String(and(a, b) === "true")
    )
  })

  it("null tests always have a value", () => {
    expect(valueOf("total == null", nulls)).toBe("true")
    expect(valueOf("total != null", nulls)).toBe("false")
    expect(valueOf("null == total", {})).toBe("false")
    expect(valueOf("has(total)", nulls)).toBe("false")
    expect(valueOf("has(total) && total > 1", nulls)).toBe("false")
    expect(valueOf("total == null || total > 1", nulls)).toBe("true")
  })
})
