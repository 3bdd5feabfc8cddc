/**
 * How many different values: a set of them up to the cap; beyond it only that there were more, or a HyperLogLog.
 *
 * Part of `Accumulator.ts`. The answer follows from the set of values alone, whatever their order and the panes.
 */
import { Schema } from "effect"
import type { Accumulator, AccumulatorBase } from "./Accumulator.ts"
import type { AggregateDeclaration } from "./Aggregate.ts"
import { type Cells, type CellValue, setAt } from "./Cells.ts"
import { addToSketch, estimateOf, makeSketch, mergeSketch, type Sketch } from "./HyperLogLog.ts"

type Distinct = Extract<AggregateDeclaration, { readonly kind: "countDistinct" }>

/** The values, then how many records brought one that is not among them, then the sketch. */
const Durable = Schema.Tuple([
  Schema.Array(Schema.Union([Schema.String, Schema.Finite])),
  Schema.Finite,
  Schema.optionalKey(Schema.Uint8ArrayFromBase64)
])

const sketchText = Schema.encodeSync(Schema.Uint8ArrayFromBase64)

/** A value beyond the cap is not kept, but that there was one is: the cell counts the records that brought one. */
export const distinctAccumulator = (base: AccumulatorBase, { estimate, valuesMax }: Distinct): Accumulator => {
  const { cell } = base
  const beyond = (cells: Cells) => (Number.isNaN(cells.numbers[cell]) ? 0 : cells.numbers[cell]!)
  const sketchOf = (cells: Cells) => cells.objects?.[cell] as Sketch | undefined // nothing else is put there
  const putSketch = (cells: Cells, sketch: Sketch | undefined) => {
    ;(cells.objects ??= [])[cell] = sketch
  }
  /** The sketch takes over: it has all values from now on. */
  const toSketch = (cells: Cells): Sketch => {
    const known = sketchOf(cells)
    if (known !== undefined) return known
    const sketch = makeSketch()
    for (const value of setAt(cells, cell)) addToSketch(sketch, value)
    setAt(cells, cell).clear()
    putSketch(cells, sketch)
    return sketch
  }
  const add = (cells: Cells, value: CellValue): void => {
    if (value === null || typeof value === "bigint") return
    const sketch = sketchOf(cells)
    if (sketch !== undefined) return addToSketch(sketch, value)
    const values = setAt(cells, cell)
    if (values.has(value)) return
    if (values.size < valuesMax) {
      values.add(value)
      return
    }
    cells.numbers[cell] = beyond(cells) + 1
    if (estimate === true) addToSketch(toSketch(cells), value)
  }
  return {
    ...base,
    add,
    merge: (into, from) => {
      for (const value of from.sets?.[cell] ?? []) add(into, value)
      if (beyond(from) > 0) into.numbers[cell] = beyond(into) + beyond(from)
      const sketch = sketchOf(from)
      if (sketch !== undefined) mergeSketch(toSketch(into), sketch)
    },
    result: (cells) => {
      const sketch = sketchOf(cells)
      // so many there are at least
      if (sketch !== undefined) return Math.max(estimateOf(sketch), valuesMax + 1)
      return cells.sets?.[cell]?.size ?? 0
    },
    durable: Durable as unknown as Schema.Codec<unknown, unknown>, // values are held untyped here
    encode: (cells) => {
      const sketch = sketchOf(cells)
      const values = [...(cells.sets?.[cell] ?? [])]
      return sketch === undefined ? [values, beyond(cells)] : [values, beyond(cells), sketchText(sketch)]
    },
    decode: (cells, value) => {
      const [values, count, sketch] = value as typeof Durable.Type // the durable form above
      const kept = setAt(cells, cell)
      kept.clear()
      for (const each of values) kept.add(each)
      cells.numbers[cell] = count
      putSketch(cells, sketch)
    }
  }
}
