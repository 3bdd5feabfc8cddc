/** Texts and names made to break out of generated code: they must come through as the data they are. */
import { Result } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import {
  checkExpr,
  type ColumnBatch,
  columnAccess,
  compileCondition,
  expr,
  type FieldSpec,
  has,
  interpretCondition,
  makeCodeScope,
  recordAccess,
  type RecordShape
} from "../../src/index.ts"

const hostile = [
  '"',
  "'",
  "`",
  "\\",
  '\\"',
  '"];globalThis.hacked=1;//',
  "');globalThis.hacked=1;('",
  "${globalThis.hacked=1}",
  "`+(globalThis.hacked=1)+`",
  "\n;globalThis.hacked=1\n",
  "\u2028globalThis.hacked=1\u2029",
  "*/globalThis.hacked=1/*",
  "</script>",
  "\u0000",
  "constructor",
  "__proto__",
  "\ufeff",
  "x".repeat(100) + '"];globalThis.hacked=1;//'
]

const textField = (name: string, index: number): FieldSpec => ({
  name,
  index,
  type: { _tag: "Text", format: undefined, values: undefined, lengthMax: 1000 },
  nullable: true,
  personal: false,
  hiddenFromRules: false
})

const shapeOf = (names: ReadonlyArray<string>): RecordShape => {
  const fields = names.map(textField)
  return { fields, byName: new Map(fields.map((field) => [field.name, field])), closed: false }
}

/** One row of texts. */
const batchOf = (shape: RecordShape, texts: ReadonlyArray<string | null>): ColumnBatch => {
  const encoder = new TextEncoder()
  const bytes: Array<number> = []
  const columns = texts.map((text) => {
    const start = bytes.length
    if (text !== null) bytes.push(...encoder.encode(text))
    return {
      _tag: "Bytes" as const,
      starts: Int32Array.of(text === null ? -1 : start),
      ends: Int32Array.of(text === null ? -1 : bytes.length)
    }
  })
  // the rest of a batch is not read by conditions
  return { shape, columns, bytes: Uint8Array.from(bytes), length: 1 } as unknown as ColumnBatch
}

const runBoth = (
  expression: Parameters<typeof checkExpr>[0],
  shape: RecordShape,
  texts: ReadonlyArray<string | null>
) => {
  const checked = Result.getOrThrow(checkExpr(expression, shape))
  if (checked.result !== "boolean") throw new Error("a condition was expected")
  const record = Object.fromEntries(shape.fields.map((field, index) => [field.name, texts[index] ?? null]))
  const scope = makeCodeScope()
  const columns = columnAccess(shape, scope)
  const overColumns = compileCondition(checked, columns, scope)
  const overRecord = compileCondition(checked, recordAccess(shape, scope, "record"), scope)
  const body = `return (batch, record, i) => { ${columns.prelude()}\n return [${overColumns}, ${overRecord}] }`
  const run = new Function(...scope.names, body)(...scope.values)
  return { values: [...run(batchOf(shape, texts), record, 0), interpretCondition(checked)(record)], code: body }
}

afterEach(() => {
  if ("hacked" in globalThis) throw new Error("a text became code")
})

describe("hostile literals", () => {
  it.each(hostile)("%j is compared as a text", (text) => {
    const shape = shapeOf(["name", "other"])
    const literal = JSON.stringify(text)
      .replaceAll("\u2028", "\\u2028")
      .replaceAll("\u2029", "\\u2029")
      .replaceAll("\\u0000", "\\x00")
    for (const source of [
      `name == ${literal}`,
      `name in [${literal}, "x"]`,
      `name.startsWith(${literal})`,
      `name + ${literal} == ${literal} + name`,
      `(has(other) ? other : ${literal}) == name`
    ]) {
      const { values, code } = runBoth(expr(source), shape, [text, null])
      expect(values).toEqual([true, true, true])
      expect(code).not.toContain("hacked")
      expect(runBoth(expr(source), shape, ["y", "z"]).values).toEqual(
        source.includes("+") && text === "" ? [true, true, true] : [false, false, false]
      )
    }
  })

  it("in patterns, zones and times never reach the code", () => {
    const shape = shapeOf(["name"])
    expect(runBoth(expr(`name.matches("globalThis\\\\.hacked")`), shape, ["globalThis.hacked"]).code).not.toContain(
      "hacked"
    )
    const zone = checkExpr(
      expr(`timestamp('2026-01-01T00:00:00Z').getHours("UTC');globalThis.hacked=1;('") == 0`),
      shape
    )
    expect(Result.isFailure(zone)).toBe(true)
  })
})

describe("hostile field names", () => {
  it.each(hostile)("%j is only ever a name", (name) => {
    const shape = shapeOf(["first", name])
    const { values, code } = runBoth(has(name), shape, ["x", "y"])
    expect(values).toEqual([true, true, true])
    // a name stands in the code as the text of a JSON literal, or not at all
    expect(code.replaceAll(JSON.stringify(name), "")).not.toContain("hacked")
    expect(runBoth(has(name), shape, ["x", null]).values).toEqual([false, false, false])
  })

  it("that no CEL identifier can be are refused as a syntax error, not run", () => {
    const shape = shapeOf(['a"];globalThis.hacked=1;//'])
    expect(Result.isFailure(checkExpr(expr('a"];globalThis.hacked=1;// == "x"'), shape))).toBe(true)
  })
})
