/** Values written as they stand against values that their schema encodes. */
import { Exit, Schema, type SchemaAST } from "effect"
import { describe, expect, it } from "vitest"
import { plainJson } from "../../src/encode/PlainJson.ts"

const Place = Schema.Struct({ topic: Schema.String, partition: Schema.Finite, offset: Schema.Finite })
const schemas: ReadonlyArray<readonly [name: string, schema: Schema.Codec<unknown, unknown>]> = [
  ["places", Schema.Array(Place)],
  ["values", Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null]))],
  ["nested", Schema.Struct({ list: Schema.Array(Schema.Array(Schema.Boolean)), place: Schema.NullOr(Place) })]
].map(([name, schema]) => [name, schema] as readonly [string, Schema.Codec<unknown, unknown>])

const place = { topic: "t", partition: 0, offset: 2 ** 53 }
class Made {
  readonly topic = "t"
  readonly partition = 0
  readonly offset = 1
}
const values: ReadonlyArray<unknown> = [
  [],
  [place, place],
  [{ ...place, more: 1 }],
  [{ offset: 1, partition: 0, topic: "other order" }],
  [{ topic: "t", partition: 0 }],
  [
    { ...place, topic: 'quote " \ud800 \u2028 é' },
    { ...place, offset: -0.5e-7 }
  ],
  [{ ...place, offset: Number.NaN }],
  [new Made()],
  [Object.create(place)],
  [{ ...place, toJSON: () => "other" }],
  // a hole is undefined
  Array.from({ length: 2 }),
  {},
  { a: "x", b: 1, c: true, d: null, 'é"': -0 },
  { a: Number.POSITIVE_INFINITY },
  { a: undefined },
  { a: {} },
  JSON.parse('{"__proto__": "x", "a": 1}'),
  { toJSON: "x" },
  { list: [[true], []], place },
  { list: [[true], [1]], place: null },
  { list: [], place: { ...place, extra: true } },
  null,
  undefined,
  "text",
  new Map()
]

describe.each(schemas)("%s", (_, schema) => {
  const plain = plainJson(schema.ast)
  const encode = Schema.encodeUnknownExit(schema)

  it("are written as the schema would, or left to it", () => {
    expect(plain).toBeDefined()
    const taken = values.filter((value) => plain!(value))
    for (const value of taken) {
      const encoded = encode(value)
      expect(Exit.isSuccess(encoded)).toBe(true)
      if (Exit.isSuccess(encoded)) expect(JSON.stringify(value)).toBe(JSON.stringify(encoded.value))
    }
    expect(taken.length).toBeGreaterThan(0)
    expect(taken.length).toBeLessThan(values.length)
  })
})

it("leaves schemas that change or check values to themselves", () => {
  const others: ReadonlyArray<SchemaAST.AST> = [
    Schema.Number.ast,
    Schema.Date.ast,
    Schema.FiniteFromString.ast,
    Schema.Array(Schema.FiniteFromString).ast,
    Schema.String.check(Schema.isMaxLength(3)).ast,
    Schema.Array(Schema.String).check(Schema.isMaxLength(1)).ast,
    Schema.Struct({ a: Schema.optionalKey(Schema.String) }).ast,
    Schema.Tuple([Schema.String]).ast,
    Schema.Unknown.ast
  ]
  expect(others.map((ast) => plainJson(ast))).toEqual(others.map(() => undefined))
})
