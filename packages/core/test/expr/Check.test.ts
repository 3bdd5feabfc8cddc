import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { checkExpr, expr, formatProblem, has } from "../../src/index.ts"
import { shape } from "./Fixture.ts"

const problemsOf = (expression: Parameters<typeof checkExpr>[0], options?: { rules: boolean }) => {
  const result = checkExpr(expression, shape, options)
  return Result.isFailure(result) ? result.failure.map((problem) => problem.message) : []
}
const refused = (source: string) => problemsOf(expr(source)).join("; ")

describe("checkExpr refuses", () => {
  it.each([
    // names
    ["amont > 1", 'no field "amont": did you mean "amount"?'],
    ["Country == 'DE'", 'no field "Country": did you mean "country"?'],
    ["velocity > 1", 'no field "velocity"'],
    ["has(amont)", 'no field "amont"'],
    ["toString == 'x'", 'no field "toString"'],
    // kinds
    ["country > 5", "a text cannot be compared with a whole number"],
    ["amount > lat", "a decimal of scale 2 cannot be compared with a double"],
    ["at > '2026-01-01'", 'write timestamp("2026'],
    ["born < '2026-01-01'", 'write date("2026'],
    ["at - seen > 300", 'write the duration as duration("5m")'],
    ["online > flag", "true and false have no order"],
    ["count && online", "a condition is needed here, and this is a whole number"],
    ["!count", "a condition is needed here"],
    ["-country == 'x'", "a minus does not apply to a text"],
    ["country + count == 'x'", "write string(…) around what is no text"],
    ["count + lat > 1.0", "write double(…) around the whole number"],
    ["amount * lat > 1.0", "a decimal and a double do not mix"],
    ["amount / 3 > 1", "decimals are not divided"],
    ["amount % 3 == 0", "% applies to whole numbers only"],
    ["lat % 2.0 == 0.0", "% applies to whole numbers only"],
    ["at + 5 > at", 'a time moves by a duration: write + duration("5m")'],
    ["at * 2 == at", "* does not apply to a time and a whole number"],
    ["(online ? 1 : 'x') == 1", "the two results differ: a whole number and a text"],
    ["(online ? amount : lat) > 1.0", "the two results differ"],
    ["extra == 'x'", '"extra" is nested: only has(extra)'],
    ["kind == 'purchse'", '"kind" is never "purchse": did you mean purchase?'],
    ["kind in ['purchase', 'loan']", '"kind" is never "loan"'],
    // lists and null
    ["country in ['DE', 5]", "a text is never a whole number"],
    ["country in [merchant]", "a list holds literals only"],
    ["country in ['DE', null]", "null is never in a list"],
    ["country in merchant", 'after "in" comes a list'],
    ["[1, 2] == [1, 2]", 'a list can stand only after "in"'],
    ["count < null", "null has no order"],
    ["count + 1 == null", "only a field can be compared with null"],
    ["(online ? country : null) == 'DE'", "null can only be compared"],
    // calls
    ["lower(country) == 'x'", "no function lower()"],
    ["country.startWith('x')", "did you mean startsWith()?"],
    ["country.startsWith(5)", "startsWith() takes a text, and this is a whole number"],
    ["count.startsWith('5')", "startsWith() asks a text, and this is a whole number"],
    ["size(count) > 1", "size() counts the characters of a text, and this is a whole number"],
    ["country.startsWith('a', 'b')", "startsWith() takes one argument"],
    ["country.matches(merchant)", "matches() takes a pattern in quotes"],
    ["country.matches('(a')", "this ( is not closed (character 1 of the pattern)"],
    ["country.matches('(a)\\\\1')", "no back-references"],
    ["at.getHours('Mars/Olympus') == 1", 'no time zone "Mars/Olympus"'],
    ["at.getHours(country) == 1", "a time zone is written in quotes"],
    ["at > timestamp('2026-02-30T00:00:00Z')", "this is no timestamp"],
    ["at > timestamp('2026-01-01T00:00:00.1234567Z')", "to the microsecond at most"],
    ["at > timestamp(country)", "timestamp() takes a text in quotes"],
    ["at - seen > duration('5 parsecs')", "this is no duration"],
    ["at - seen > duration('1ns')", "this is no duration"],
    ["born > date('2026-13-01')", "this is no date"],
    ["(at - seen).getMilliseconds() > 5", "a duration has getHours(), getMinutes() and getSeconds()"],
    ["int(online) == 1", "int() does not apply to true or false"],
    ["string(at - seen) == 'x'", "string() does not apply to a duration"],
    ["has(count + 1)", "has() takes the name of a field"],
    // CEL that records do not need
    ["country.exists(c, c == 'x')", "exists() works on lists"],
    ["extra.foo == 1", "fields of fields are not supported"],
    ["extra[0] == 1", "fields of fields are not supported"],
    ["{'a': 1} == {'a': 1}", "maps are not supported"],
    ["b'abc' == b'abc'", "bytes are not supported"],
    ["count == 5u", "leave the u out"],
    ["1 < count < 5", "comparisons do not chain: write a < b && b < c"],
    // numbers
    ["total == 9007199254740992", "whole numbers go up to 9007199254740991"],
    ["amount > 1e39", "at most 38 digits"],
    // what people mistype
    ["count = 5", "a single = is no comparison: write =="],
    ["count <> 5", "write != for not equal"],
    ["count > 1 and online", "write && for and"],
    ["count > 1 or online", "write || for or"],
    ["count > 1 & online", "write && for and"],
    ["country is null", "write == null"],
    ["count > 1 online", "an operator is missing here"],
    ["count >", "unexpected token: the end"],
    ["(count > 1", "expected ), got the end"],
    ["'abc", "unterminated string"],
    ["package == 1", "reserved word of CEL"],
    ["", "unexpected token: the end"]
  ])("%s", (source, message) => {
    expect(refused(source)).toContain(message)
  })

  it("a result other than the one stated, with how to declare it", () => {
    expect(refused("amount")).toContain(
      "the result must be true or false, and this is a decimal of scale 2: declare it with expr.decimal(2, …)"
    )
    expect(refused("country")).toContain("declare it with expr.string(…)")
    expect(problemsOf(expr.string("count"))[0]).toContain("write string(…) around it")
    expect(problemsOf(expr.number("amount"))[0]).toContain("declare it with expr.decimal(2, …)")
    expect(problemsOf(expr.decimal(2, "fee"))[0]).toContain("nothing is rounded")
    expect(problemsOf(expr.decimal(2, "lat"))[0]).toContain("must be a decimal of scale 2, and this is a double")
  })

  it("fields that are hidden from rules, in rules alone", () => {
    expect(problemsOf(expr("label == 'fraud'"))).toEqual([])
    expect(problemsOf(expr("label == 'fraud'"), { rules: true })).toEqual(['field "label" is hidden from rules'])
    expect(problemsOf(has("label"), { rules: true })).toEqual(['field "label" is hidden from rules'])
    expect(problemsOf(expr("lable == 'fraud'"), { rules: true })).toEqual(['no field "lable"'])
  })

  it("every mistake at once, each once, with line, column and carets", () => {
    const result = checkExpr(expr("amount > 10 &&\n\t(amont < 5 || contry == 'DE')"), shape)
    if (Result.isSuccess(result)) throw new Error("must be refused")
    expect(result.failure.map(({ line, column, start, end }) => [line, column, start, end])).toEqual([
      [2, 3, 17, 22],
      [2, 16, 30, 36]
    ])
    expect(formatProblem(result.failure[0]!)).toBe(
      ['no field "amont": did you mean "amount"? (line 2)', "   (amont < 5 || contry == 'DE')", "    ^^^^^"].join("\n")
    )
  })

  it("what is too long, too large or too deep", () => {
    expect(refused(`country == '${"x".repeat(10_000)}'`)).toContain("at most 10000 characters")
    expect(refused(Array.from({ length: 1500 }, () => "true").join("||"))).toContain("too large")
    expect(refused(`${"(".repeat(200)}online${")".repeat(200)}`)).toContain("too large")
    expect(refused(`${"!".repeat(9_000)}online`)).toContain("too large")
    expect(refused(`${"!".repeat(150)}online`)).toContain("levels deep")
    expect(refused(`count${" + 1".repeat(150)} > 5`)).toContain("levels deep")
    expect(refused("country == '\ud800'")).toContain("no valid Unicode")
    // a long chain is one level
    expect(refused(Array.from({ length: 900 }, () => "online").join("&&"))).toBe("")
  })

  it("shows the part of a long line that matters", () => {
    const result = checkExpr(expr(`${"online && ".repeat(100)}amont > 1`), shape)
    if (Result.isSuccess(result)) throw new Error("must be refused")
    const [line = "", carets = ""] = result.failure[0]!.excerpt.split("\n")
    expect(line.length).toBeLessThan(130)
    expect(line.slice(carets.indexOf("^"), carets.length)).toBe("amont")
  })
})

describe("checkExpr says of an expression", () => {
  const check = (expression: Parameters<typeof checkExpr>[0]) => Result.getOrThrow(checkExpr(expression, shape))

  it("which fields it reads, in order, once", () => {
    expect(check(expr("count > 1 && has(country) && count < 5 && seen == null")).fields).toEqual([
      "count",
      "country",
      "seen"
    ])
    expect(check(has("extra")).fields).toEqual(["extra"])
    expect(check(expr("true")).fields).toEqual([])
  })

  it("why its value may be null", () => {
    const reason = (expression: Parameters<typeof checkExpr>[0]) => check(expression).nullReason
    expect(reason(expr("country == 'DE'"))).toBeUndefined()
    expect(reason(expr.string("country"))).toBe('field "country" may be null')
    expect(reason(expr.string("merchant + '!'"))).toBeUndefined()
    expect(reason(expr.string("has(country) ? country : '?'"))).toBeUndefined()
    expect(reason(expr.string("country == null ? '?' : country"))).toBeUndefined()
    expect(reason(expr.string("country == null || seen == null ? '?' : country + string(seen)"))).toBeUndefined()
    expect(reason(expr.string("has(seen) && country != 'DE' ? country + string(seen) : ''"))).toBeUndefined()
    expect(reason(expr.string("has(seen) ? country : '?'"))).toBe('field "country" may be null')
    expect(reason(expr.string("!(country == 'x') ? country : ''"))).toBeUndefined()
    expect(reason(expr.string("!(has(country) && online) ? country : ''"))).toBe('field "country" may be null')
    expect(reason(expr.number("count + 1"))).toBeUndefined()
    expect(reason(expr.number("count * count * count * count"))).toBe("the result may be too large for an int")
    expect(reason(expr.number("count / 2"))).toBeUndefined()
    expect(reason(expr.number("100 / count"))).toBe("the divisor may be 0")
    expect(reason(expr.number("lat * 2.0"))).toBeUndefined()
    expect(reason(expr.number("lat / 2.0"))).toBeUndefined()
    expect(reason(expr.number("lat / 1e-300"))).toBe("the result may be too large for a double")
    expect(reason(expr.string("has(country) || has(seen) ? country : ''"))).toBe('field "country" may be null')
    expect(reason(expr.number("int(merchant)"))).toBe("a text may be no number")
    expect(reason(expr.number("(at - timestamp('2026-01-01T00:00:00Z')).getHours()"))).toBeUndefined()
    expect(reason(expr.decimal(2, "amount + 1"))).toBeUndefined()
    expect(reason(expr.decimal(4, "amount * 1.25"))).toBeUndefined()
    expect(reason(expr.decimal(2, "has(fee) ? amount : 0"))).toBeUndefined()
    expect(reason(expr.decimal(10, "has(huge) ? huge * 10 : 0.0"))).toBe("the result may be too large for a decimal")
    expect(reason(expr.string("string(online)"))).toBeUndefined()
    expect(reason(expr.string("string(flag)"))).toBe('field "flag" may be null')
  })

  it("nodes that nobody can change", () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
    const { tree } = check(
      expr(
        "amount > 1.5 && kind in ['refund'] || (count + 1 > 2 ? has(fee) : country.matches('a')) && at > timestamp('2026-01-01T00:00:00Z')"
      )
    )
    expect(frozen(tree)).toBe(true)
  })
})
