/** One expression reads what another computed, as the engine's loops do after `extend`: cells instead of columns. */
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import {
  checkExpr,
  columnAccess,
  compileCell,
  compileValue,
  Decimal,
  type Expr,
  expr,
  type FieldAccess,
  type FieldType,
  makeCodeScope,
  type RecordShape
} from "../../src/index.ts"
import { columnBatchOf, plain, record, shape } from "./Fixture.ts"

/** The fixture's shape with one more field. */
const extended = (type: FieldType): RecordShape => {
  const spec = {
    name: "made",
    index: shape.fields.length,
    type,
    nullable: true,
    personal: false,
    hiddenFromRules: false
  }
  const fields = [...shape.fields, spec]
  return { fields, byName: new Map(fields.map((field) => [field.name, field])), closed: false }
}

const run = (first: Expr<never, unknown>, type: FieldType, second: Expr<never, unknown>, change = {}): unknown => {
  const scope = makeCodeScope()
  const columns = columnAccess(shape, scope)
  const cell = compileCell(Result.getOrThrow(checkExpr(first, shape)), columns, scope)
  const made = (name: string) => name === "made"
  const access: FieldAccess = {
    number: (name) => (made(name) ? "made" : columns.number(name)),
    unscaled: (name) => (made(name) ? "made" : columns.unscaled(name)),
    boolean: (name) => (made(name) ? "made" : columns.boolean(name)),
    text: (name) => (made(name) ? "made" : columns.text(name)),
    textEquals: (name, literal) =>
      made(name) ? `(made === ${scope.constant(literal)})` : columns.textEquals(name, literal),
    isNull: (name) => (made(name) ? "(made === null || made !== made)" : columns.isNull(name))
  }
  const value = compileValue(Result.getOrThrow(checkExpr(second, extended(type))), access, scope)
  const body = `return (batch, i) => { ${columns.prelude()}\n const made = ${cell}; return ${value} }`
  return plain(new Function(...scope.names, body)(...scope.values)(columnBatchOf([record(change)]), 0))
}

const text: FieldType = { _tag: "Text", format: undefined, values: undefined, lengthMax: 100 }
const decimal: FieldType = { _tag: "Decimal", precision: 38, scale: 2, positive: false }

describe("compileCell", () => {
  it("gives numbers, decimals, booleans and texts to a further expression", () => {
    const int: FieldType = { _tag: "Int", min: 0, max: 100 }
    expect(run(expr.number("count + 1"), int, expr.number("made * 2"))).toBe(16)
    expect(run(expr.number("total + 1"), int, expr("made == null"), { total: null })).toBe(true)
    expect(run(expr.decimal(2, "amount * 2"), decimal, expr.decimal(2, "made + amount"))).toBe("decimal 361.50")
    expect(run(expr("amount > 100"), { _tag: "Boolean" }, expr("made && count == 7"))).toBe(true)
    expect(run(expr.string("country + '-' + kind"), text, expr("made == 'DE-purchase'"))).toBe(true)
    expect(run(expr.string("country + kind"), text, expr("made == null"), { country: null })).toBe(true)
  })

  it("gives decimals beyond 2^53 whole", () => {
    const change = { amount: Decimal.of("90071992547409.91", 2) }
    expect(run(expr.decimal(2, "amount * 1000"), decimal, expr.decimal(2, "made + 0.01"), change)).toBe(
      "decimal 90071992547409910.01"
    )
  })
})
