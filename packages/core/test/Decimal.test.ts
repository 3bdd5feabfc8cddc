import { Result } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { Decimal, DecimalError, unscaledText } from "../src/index.ts"
import { parseDecimal } from "../src/Decimal.ts"
import { makeChance } from "./decode/RecordCases.ts"

describe("Decimal", () => {
  it.each([
    ["0", 2, "0.00"],
    ["-0", 2, "0.00"],
    ["10.5", 2, "10.50"],
    ["-0.05", 2, "-0.05"],
    ["10.500", 2, "10.50"],
    ["1.5e3", 2, "1500.00"],
    ["150e-2", 2, "1.50"],
    ["90071992547409.93", 2, "90071992547409.93"],
    ["99999999999999999999999999999999999999", 0, "99999999999999999999999999999999999999"],
    ["-123456789012345678.9012345678", 10, "-123456789012345678.9012345678"],
    ["7", 0, "7"]
  ])("reads %s at scale %i exactly", (text, scale, wanted) => {
    expect(Result.getOrThrow(Decimal.fromText(text, scale)).toString()).toBe(wanted)
  })

  it.each([
    ["10.505", 2, "too_many_digits"],
    ["1e-3", 2, "too_many_digits"],
    ["1e99", 2, "too_many_digits"],
    ["1".repeat(500), 2, "too_many_digits"],
    ["", 2, "bad_format"],
    ["1.", 2, "bad_format"],
    [".5", 2, "bad_format"],
    ["+1", 2, "bad_format"],
    ["01", 2, "bad_format"],
    ["1 ", 2, "bad_format"],
    ["0x10", 2, "bad_format"],
    ["NaN", 2, "bad_format"],
    ["1e99999", 2, "bad_format"]
  ])("refuses %s at scale %i", (text, scale, reason) => {
    const read = Decimal.fromText(text, scale)
    const failure = Result.getOrThrow(Result.flip(read))
    expect(failure).toBeInstanceOf(DecimalError)
    expect(failure.reason).toBe(reason)
  })

  it("computes as bigints do, across 2^53", () => {
    const chance = makeChance(11)
    const integer = () => {
      let digits = String(chance.below(9) + 1)
      for (let length = chance.below(22); length > 0; length--) digits += chance.below(10)
      return BigInt(digits) * (chance.oneIn(2) ? 1n : -1n)
    }
    const near = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n]
    for (let round = 0; round < 3_000; round++) {
      const left = chance.oneIn(4) ? chance.pick(near) : integer()
      const right = chance.oneIn(4) ? chance.pick(near) : integer()
      const a = Decimal.make(left, 2)
      const b = Decimal.make(right, 2)
      expect(BigInt(a.plus(b).unscaled)).toBe(left + right)
      expect(BigInt(a.minus(b).unscaled)).toBe(left - right)
      expect(BigInt(a.times(b, 4).unscaled)).toBe(left * right)
      expect(a.compare(b)).toBe(left < right ? -1 : left > right ? 1 : 0)
      expect([a.lt(b), a.lte(b), a.eq(b), a.gte(b), a.gt(b)]).toEqual([
        left < right,
        left <= right,
        left === right,
        left >= right,
        left > right
      ])
      expect(Decimal.of(a.toString(), 2)).toEqual(a)
      const sum = a.plus(b).unscaled
      expect(typeof sum).toBe(Number.isSafeInteger(Number(left + right)) ? "number" : "bigint")
    }
  })

  it("compares and computes with literals at its scale", () => {
    const amount = Decimal.of("99.95", 2)
    expect(amount.eq("99.95")).toBe(true)
    expect(amount.eq(99.95)).toBe(true)
    expect(amount.gt(10_000)).toBe(false)
    expect(amount.lt(100)).toBe(true)
    expect(amount.plus("0.05").eq(100)).toBe(true)
    expect(amount.minus(100).toString()).toBe("-0.05")
    expect(() => amount.gt("99.955")).toThrow(/fraction digits/)
    expect(() => amount.gt("a lot")).toThrow(/no decimal/)
  })

  it("gives one form to equal values, and no negative zero", () => {
    expect(Object.is(Decimal.of("0", 2).times(-5, 2).unscaled, 0)).toBe(true)
    expect(Object.is(Decimal.make(-0, 2).unscaled, 0)).toBe(true)
    expect(Object.is(Decimal.of(-0, 2).unscaled, 0)).toBe(true)
    expect(Decimal.make(5n, 2).unscaled).toBe(5)
  })

  it.each([
    ["0.05", "0.5", 2, "0.02"],
    ["0.15", "0.5", 2, "0.08"],
    ["-0.15", "0.5", 2, "-0.08"],
    ["0.25", "0.1", 2, "0.02"],
    ["0.26", "0.1", 2, "0.03"],
    ["10.00", "1.1", 3, "11.000"],
    ["10.00", "1e3", 0, "10000"],
    ["1.00", "1e-7", 9, "0.000000100"]
  ])("multiplies %s by %s at scale %i, halves to the even neighbour", (left, factor, scale, wanted) => {
    expect(Decimal.of(left, 2).times(factor, scale).toString()).toBe(wanted)
  })

  it("takes no operators, at run time and by type", () => {
    const left = Decimal.of(1, 2)
    const right = Decimal.of(2, 2)
    expect(() => left < right).toThrow(/no operators/)
    // @ts-expect-error a decimal does not compare with a number
    expect(() => left > 10_000).toThrow(/no operators/)
    // @ts-expect-error nor does it add up
    expect(() => left + right).toThrow(/no operators/)
  })

  it("does not mix scales", () => {
    const left = Decimal.of(1, 2)
    const right = Decimal.of(1, 4)
    // @ts-expect-error scales differ
    expect(() => left.plus(right)).toThrow(/do not mix/)
    expectTypeOf(left.times(right, 6)).toEqualTypeOf<Decimal<6>>()
  })

  it("prints unscaled integers", () => {
    expect([unscaledText(0, 0), unscaledText(-5, 2), unscaledText(-5n, 2), unscaledText(12345, 3)]).toEqual([
      "0",
      "-0.05",
      "-0.05",
      "12.345"
    ])
    expect(JSON.stringify({ amount: Decimal.of("1.50", 2) })).toBe('{"amount":"1.50"}')
  })

  it("counts significant digits from the first to the last that is not 0", () => {
    const digits = (text: string) => {
      const parsed = parseDecimal(text, 10)
      return typeof parsed === "string" ? parsed : parsed.significantDigits
    }
    expect([digits("0"), digits("100"), digits("0.0010"), digits("1.01"), digits("123456789012345.00")]).toEqual([
      0, 1, 1, 3, 15
    ])
  })
})
