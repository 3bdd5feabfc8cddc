/**
 * The values of a window in the order of their records, by event time, then offset, up to a cap.
 *
 * Part of `Accumulator.ts`. What is kept are the first ones; of values that count once, those that came first the earliest.
 * A value that had to go because the cap was reached can only come back before those that stayed, so the answer is the
 * same whatever the order in which records came. The cell is 1 when something was left out.
 */
import { Schema } from "effect"
import type { Accumulator, AccumulatorBase } from "./Accumulator.ts"
import type { AggregateDeclaration } from "./Aggregate.ts"
import type { Cells, CellValue } from "./Cells.ts"

type Collect = Extract<AggregateDeclaration, { readonly kind: "collect" }>

const Entry = Schema.Tuple([Schema.Finite, Schema.Finite, Schema.Union([Schema.Finite, Schema.String])])
const Durable = Schema.Tuple([Schema.Array(Entry), Schema.Boolean])

type Entry = typeof Entry.Type

interface Collected {
  /** By time, then offset. */
  readonly entries: Array<Entry>
  /** Of values that count once: where each is. */
  readonly places: Map<string | number, Entry>
}

const isBefore = (left: Entry, right: Entry): boolean =>
  left[0] < right[0] || (left[0] === right[0] && left[1] < right[1])

export const collectAccumulator = (base: AccumulatorBase, { distinct, valuesMax }: Collect): Accumulator => {
  const { cell } = base
  const known = (cells: Cells) => cells.objects?.[cell] as Collected | undefined // nothing else is put there
  const collected = (cells: Cells): Collected => {
    const objects = (cells.objects ??= [])
    return (objects[cell] ??= { entries: [], places: new Map() } satisfies Collected) as Collected // as above
  }
  const put = (cells: Cells, entry: Entry): void => {
    const { entries, places } = collected(cells)
    if (distinct) {
      const other = places.get(entry[2])
      if (other !== undefined) {
        if (!isBefore(entry, other)) return
        entries.splice(entries.indexOf(other), 1)
      }
    }
    if (entries.length >= valuesMax) {
      cells.numbers[cell] = 1
      const last = entries.at(-1)!
      if (!isBefore(entry, last)) return
      entries.pop()
      places.delete(last[2])
    }
    if (distinct) places.set(entry[2], entry)
    let at = entries.length
    while (at > 0 && isBefore(entry, entries[at - 1]!)) at--
    entries.splice(at, 0, entry)
  }
  return {
    ...base,
    placed: true,
    add: (cells: Cells, value: CellValue, time: number, offset: number): void => {
      if (value !== null && typeof value !== "bigint") put(cells, [time, offset, value])
    },
    merge: (into, from) => {
      for (const entry of known(from)?.entries ?? []) put(into, entry)
      if (from.numbers[cell] === 1) into.numbers[cell] = 1
    },
    result: (cells) => known(cells)?.entries.map(([, , value]) => value) ?? [],
    durable: Durable as unknown as Schema.Codec<unknown, unknown>, // values are held untyped here
    encode: (cells) => [known(cells)?.entries ?? [], cells.numbers[cell] === 1],
    decode: (cells, value) => {
      const [entries, capped] = value as typeof Durable.Type // the durable form above
      ;(cells.objects ??= [])[cell] = undefined
      for (const entry of entries) put(cells, entry)
      cells.numbers[cell] = capped ? 1 : Number.NaN
    }
  }
}
