/**
 * The value of a window's first or last record, by event time, then offset.
 *
 * Part of `Accumulator.ts`. A key has one source partition, so the two tell records apart, and the answer is the same
 * whatever the order they came in (protocol, rule 20). Cells: time, offset; the value beside them.
 */
import { Decimal } from "@frazil/core"
import { Schema } from "effect"
import type { Accumulator, AccumulatorBase } from "./Accumulator.ts"
import type { Cells, CellValue } from "./Cells.ts"

/** Time, offset, value; null without one. Unscaled decimals are their digits. */
const Durable = Schema.NullOr(
  Schema.Tuple([Schema.Finite, Schema.Finite, Schema.Union([Schema.Finite, Schema.String])])
)

export const endAccumulator = (base: AccumulatorBase, kind: "first" | "last"): Accumulator => {
  const { cell, field } = base
  const type = field!.type // a job that was made has the field
  const valueAt = (cells: Cells) => (cells.objects?.[cell] ?? null) as CellValue // nothing else is put there
  const put = (cells: Cells, value: CellValue, time: number, offset: number) => {
    cells.numbers[cell] = time
    cells.numbers[cell + 1] = offset
    ;(cells.objects ??= [])[cell] = value
  }
  const add = (cells: Cells, value: CellValue, time: number, offset: number): void => {
    if (value === null) return
    const later = time - cells.numbers[cell]! || offset - cells.numbers[cell + 1]!
    // without a value yet, it is NaN
    if (Number.isNaN(later) || (kind === "first" ? later < 0 : later > 0)) put(cells, value, time, offset)
  }
  return {
    ...base,
    placed: true,
    add,
    merge: (into, from) => add(into, valueAt(from), from.numbers[cell]!, from.numbers[cell + 1]!),
    result: (cells) => {
      const value = valueAt(cells)
      if (value === null || type._tag !== "Decimal") return value
      return Decimal.make(value as number | bigint, type.scale) // of a decimal field
    },
    durable: Durable as unknown as Schema.Codec<unknown, unknown>, // values are held untyped here
    encode: (cells) => {
      const value = valueAt(cells)
      if (value === null) return null
      return [cells.numbers[cell], cells.numbers[cell + 1], type._tag === "Decimal" ? String(value) : value]
    },
    decode: (cells, decoded) => {
      if (decoded === null) return put(cells, null, Number.NaN, Number.NaN)
      const [time, offset, value] = decoded as NonNullable<typeof Durable.Type> // the durable form above
      put(cells, type._tag === "Decimal" ? unscaledOf(String(value)) : value, time, offset)
    }
  }
}

/** As records hold it: a number as long as that is exact. */
const unscaledOf = (digits: string): number | bigint => {
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number : BigInt(digits)
}
