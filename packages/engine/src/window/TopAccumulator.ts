/**
 * The records with the greatest or least values of a field: whole records, in the order of `keyed/Ranked.ts`.
 *
 * Part of `Accumulator.ts`. What it keeps depends on the set of records alone, so panes merge in any order.
 */
import { Schema } from "effect"
import type { AnyRecord } from "../flow/Node.ts"
import { decodeRankValue, encodeRankValue, insertRanked, type Ranked } from "../keyed/Ranked.ts"
import { decodeRecord, encodeRecord } from "../lookup/RecordText.ts"
import type { Accumulator, AccumulatorBase } from "./Accumulator.ts"
import type { AggregateDeclaration } from "./Aggregate.ts"
import { type Cells, cellValueOf } from "./Cells.ts"

const Rows = Schema.Array(
  Schema.Tuple([Schema.Union([Schema.Finite, Schema.String]), Schema.Finite, Schema.Finite, Schema.Unknown])
)

export const topAccumulator = (
  base: AccumulatorBase,
  { field, n, order }: Extract<AggregateDeclaration, { readonly kind: "top" }>
): Accumulator => {
  const { cell } = base
  const listAt = (cells: Cells) => ((cells.objects ??= [])[cell] ??= []) as Array<Ranked> // nothing else is put there
  const insert = (cells: Cells, item: Ranked) => insertRanked(listAt(cells), item, n, order, false)
  return {
    ...base,
    add: () => {},
    addRecord: (cells, record, time, offset) => {
      const value = cellValueOf(record, field)
      if (value === null || typeof value === "string") return
      insert(cells, { value, time, offset, record })
    },
    merge: (into, from) => {
      for (const item of listAt(from)) insert(into, item)
    },
    result: (cells) => listAt(cells).map(({ record }) => record),
    durable: Rows as unknown as Schema.Codec<unknown, unknown>, // values are held untyped here
    encode: (cells) =>
      listAt(cells).map(({ offset, record, time, value }) => [
        encodeRankValue(value),
        time,
        offset,
        encodeRecord(record)
      ]),
    decode: (cells, value) => {
      const rows = value as typeof Rows.Type // the durable form above
      ;(cells.objects ??= [])[cell] = rows.map(([encoded, time, offset, record]): Ranked => {
        const own: AnyRecord = decodeRecord(record)
        return { value: decodeRankValue(encoded), time, offset, record: own }
      })
    }
  }
}
