/** What the types of expressions allow and refuse; the flows' operators build on it. */
import { describe, expect, expectTypeOf, it } from "vitest"
import { type Decimal, type Expr, expr, has, type Has } from "../../src/index.ts"

interface Payment {
  readonly amount: Decimal<2>
  readonly country?: string | null
}
interface Login {
  readonly user: string
}

declare const condition: (expression: Expr<NoInfer<Payment>, boolean>) => void
const accepts = <A, T>(_expression: Expr<A, T>): void => undefined

describe("Expr", () => {
  it("states its result type", () => {
    expectTypeOf(expr("true")).toEqualTypeOf<Expr<unknown, boolean>>()
    expectTypeOf(expr.string("'x'")).toEqualTypeOf<Expr<unknown, string>>()
    expectTypeOf(expr.number("1")).toEqualTypeOf<Expr<unknown, number>>()
    expectTypeOf(expr.decimal(2, "1.5")).toEqualTypeOf<Expr<unknown, Decimal<2>>>()
    expectTypeOf(expr<Payment>("true")).toEqualTypeOf<Expr<Payment, boolean>>()
    expectTypeOf(has("country")).toEqualTypeOf<Has<"country">>()
  })

  it("over fewer fields fits more records, never the other way", () => {
    const check = () => {
      condition(expr("amount > 1"))
      condition(expr<Payment>("amount > 1"))
      condition(has("country"))
      accepts<Payment, boolean>(expr("true"))
      // @ts-expect-error another record
      condition(expr<Login>("user == 'x'"))
      // @ts-expect-error another result
      condition(expr.string("'x'"))
      // @ts-expect-error no such field
      condition(has("contry"))
      // @ts-expect-error scales do not mix
      accepts<Payment, Decimal<2>>(expr.decimal(4, "amount"))
    }
    expect(check).toBeTypeOf("function")
  })

  it("is plain frozen data", () => {
    expect(expr("a > 1")).toEqual({ source: "a > 1", result: { _tag: "Boolean" } })
    expect(expr.decimal(2, "a")).toEqual({ source: "a", result: { _tag: "Decimal", scale: 2 } })
    expect(has("a")).toEqual({ source: "has(a)", result: { _tag: "Boolean" }, field: "a" })
    expect(Object.isFrozen(expr("a"))).toBe(true)
  })
})
