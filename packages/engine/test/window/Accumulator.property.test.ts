/**
 * Aggregates against their plain meaning over all values at once: however the records are spread over panes, in whatever
 * order they come, and whenever their panes are written down and read back.
 */
import { Decimal, Field, RecordShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { aggregate, collect, countDistinct, first, last } from "../../src/index.ts"
import { cellsOf, isCapped, makeAccumulator } from "../../src/window/Accumulator.ts"
import type { AggregateDeclaration } from "../../src/window/Aggregate.ts"
import { type Cells, type CellValue, makeCells } from "../../src/window/Cells.ts"
import { type Chance, makeChance } from "../support/Chance.ts"

const fields = RecordShape.of(
  Schema.Struct({ text: Field.text(), amount: Field.decimal(38, 2), at: Field.timestamp, number: Field.int() })
).byName

interface Placed {
  readonly value: CellValue
  readonly time: number
  readonly offset: number
}

const inPlace = (a: Placed, b: Placed) => a.time - b.time || a.offset - b.offset

const shuffled = <A>(chance: Chance, items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items
    .map((item) => ({ item, at: chance.below(1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

const texts = (chance: Chance): CellValue => (chance.once(4) ? null : `v${chance.below(9)}`)
const numbers = (chance: Chance): CellValue => (chance.once(4) ? null : chance.below(9))
const amounts = (chance: Chance): CellValue =>
  chance.once(3) ? 9_007_199_254_740_993n * BigInt(chance.below(100)) : chance.below(100)

/** What spreading, shuffling, writing down and reading back comes to. */
const computed = (
  chance: Chance,
  declaration: AggregateDeclaration,
  field: string | undefined,
  all: ReadonlyArray<Placed>
) => {
  const accumulator = makeAccumulator(declaration, field === undefined ? undefined : fields.get(field)!, 1)
  const make = () => makeCells(1 + cellsOf(declaration))
  const durable = Schema.decodeUnknownSync(accumulator.durable)
  const again = (cells: Cells): Cells => {
    if (!chance.once(2)) return cells
    // into cells that hold something else already, as a delta finds them
    const copy = make()
    for (const { offset, time, value } of all.slice(0, chance.below(4))) {
      accumulator.add(copy, value, time, offset)
      accumulator.addRecord?.(copy, { value }, time, offset)
    }
    accumulator.decode(copy, durable(JSON.parse(JSON.stringify(accumulator.encode(cells)))))
    return copy
  }
  const panes = Array.from({ length: 1 + chance.below(4) }, make)
  for (const { offset, time, value } of shuffled(chance, all)) {
    const at = chance.below(panes.length)
    if (accumulator.addRecord === undefined) accumulator.add(panes[at]!, value, time, offset)
    else accumulator.addRecord(panes[at]!, { value }, time, offset)
    if (chance.once(5)) panes[at] = again(panes[at]!)
  }
  const merged = make()
  for (const pane of shuffled(chance, panes)) accumulator.merge(merged, again(pane))
  const end = again(merged)
  return { result: accumulator.result(end), capped: isCapped(accumulator, end) }
}

/** Some records, few of them at one time. */
const someOf = (chance: Chance, valueOf: (chance: Chance) => CellValue): ReadonlyArray<Placed> =>
  Array.from({ length: chance.below(30) }, (_, offset) => ({ offset, time: chance.below(12), value: valueOf(chance) }))

const present = (all: ReadonlyArray<Placed>) => all.filter(({ value }) => value !== null).sort(inPlace)

const seeds = 150

const each = (run: (chance: Chance, seed: string) => void) => {
  for (let seed = 1; seed <= seeds; seed++) run(makeChance(seed), `seed ${seed}`)
}

describe("aggregates, however their records come", () => {
  it("first and last are the ends by time and offset", () => {
    each((chance, seed) => {
      for (const [field, valueOf] of [
        ["text", texts],
        ["number", numbers],
        ["at", numbers]
      ] as const) {
        const all = someOf(chance, valueOf)
        const expected = present(all).map(({ value }) => value)
        const opened = first<Record<string, string>, string>(field).declaration
        const closed = last<Record<string, string>, string>(field).declaration
        assert.strictEqual(computed(chance, opened, field, all).result, expected[0] ?? null, seed)
        assert.strictEqual(computed(chance, closed, field, all).result, expected.at(-1) ?? null, seed)
      }
      const all = someOf(chance, amounts)
      const expected = present(all).at(-1)?.value
      const { result } = computed(chance, { kind: "last", field: "amount" }, "amount", all)
      if (expected === undefined) assert.isNull(result, seed)
      else assert.strictEqual(String(result), String(Decimal.make(expected as number | bigint, 2)), seed)
    })
  })

  it("collected values are the first ones in order, those that count once where they came first", () => {
    each((chance, seed) => {
      const valuesMax = 1 + chance.below(8)
      const all = someOf(chance, texts)
      const values = present(all).map(({ value }) => value)
      const plain = collect<{ text: string }, "text">("text", { valuesMax }).declaration
      const expected = { result: values.slice(0, valuesMax), capped: values.length > valuesMax }
      assert.deepStrictEqual(computed(chance, plain, "text", all), expected, seed)
      const once = [...new Set(values)]
      const distinct = collect<{ text: string }, "text">("text", { valuesMax, distinct: true }).declaration
      const expectedOnce = { result: once.slice(0, valuesMax), capped: once.length > valuesMax }
      assert.deepStrictEqual(computed(chance, distinct, "text", all), expectedOnce, seed)
    })
  })

  it("different values are counted exactly up to the cap, and beyond it as the cap or near their number", () => {
    each((chance, seed) => {
      const valuesMax = 1 + chance.below(40)
      const all = Array.from({ length: chance.below(200) }, (_, offset) => ({
        offset,
        time: 0,
        value: chance.once(9) ? null : `v${chance.below(60)}`
      }))
      const count = new Set(present(all).map(({ value }) => value)).size
      const exact = countDistinct<{ text: string }, "text">("text", { valuesMax }).declaration
      const expected = { result: Math.min(count, valuesMax), capped: count > valuesMax }
      assert.deepStrictEqual(computed(chance, exact, "text", all), expected, seed)
      const near = countDistinct<{ text: string }, "text">("text", { valuesMax, beyond: "estimate" }).declaration
      const { capped, result } = computed(chance, near, "text", all)
      assert.strictEqual(capped, count > valuesMax, seed)
      if (!capped) assert.strictEqual(result, count, seed)
      else assert.isAtMost(Math.abs((result as number) - count), 2, `${seed}: ${count}`)
      assert.deepStrictEqual(computed(makeChance(1), near, "text", all), { capped, result }, seed)
    })
  })

  it("those of somebody's own by their functions, durable by their schema", () => {
    const Sum = Schema.BigInt
    const own = aggregate({
      name: "sum of squares",
      schema: Sum,
      initial: () => 0n,
      add: (state, { value }: { readonly value: number | null }) => state + BigInt(value ?? 0) ** 2n,
      merge: (left, right) => left + right,
      result: String
    }).declaration
    each((chance, seed) => {
      const all = someOf(chance, numbers)
      const expected = present(all).reduce((sum, { value }) => sum + Number(value) ** 2, 0)
      assert.strictEqual(computed(chance, own, undefined, all).result, String(expected), seed)
    })
  })
})

describe("an aggregate of somebody's own", () => {
  const declared = (schema: Schema.Codec<unknown, unknown>, add: () => unknown) =>
    aggregate({ name: "odd", schema, initial: () => "", add, merge: (left) => left, result: (state) => state })
      .declaration

  it("stops the job when its state does not fit its schema, without quoting the state", () => {
    const lying = declared(Schema.Finite as unknown as Schema.Codec<unknown, unknown>, () => "secret")
    const accumulator = makeAccumulator(lying, undefined, 1)
    const cells = makeCells(2)
    accumulator.addRecord!(cells, {}, 0, 0)
    assert.throws(
      () => accumulator.encode(cells),
      "aggregate odd: a state that its code returned does not fit its schema"
    )
  })

  it("says what to do when the state that is there does not fit any more", () => {
    const accumulator = makeAccumulator(
      declared(Schema.Finite as unknown as Schema.Codec<unknown, unknown>, () => 1),
      undefined,
      1
    )
    assert.throws(() => accumulator.decode(makeCells(2), ["secret"]), "give the aggregate another name")
  })
})
