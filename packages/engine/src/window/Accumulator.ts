/**
 * How an aggregate is computed: add a value to a pane, merge panes into a window, read the result, keep it durably.
 *
 * The plan makes one for each aggregate of a window, with the cells that it owns. The interpreter calls `add`; the compiled
 * stage writes the common case of `add` inline (`CompileWindow.ts`) and calls it for the rest.
 */
import { Decimal, type FieldSpec, type FieldType } from "@frazil/core"
import { Schema } from "effect"
import type { AggregateDeclaration } from "./Aggregate.ts"
import { collectAccumulator } from "./CollectAccumulator.ts"
import { customAccumulator } from "./CustomAccumulator.ts"
import { distinctAccumulator } from "./DistinctAccumulator.ts"
import { endAccumulator } from "./EndAccumulator.ts"
import { offsetsAccumulator } from "./OffsetsAccumulator.ts"
import { topAccumulator } from "./TopAccumulator.ts"
import { addExact, bigAt, type Cells, type CellValue, exactAt, setBig } from "./Cells.ts"

export interface Accumulator {
  readonly declaration: AggregateDeclaration
  /** The field it reads; undefined for `count`, `offsets` and those of somebody's own. */
  readonly field: FieldSpec | undefined
  /** Its first cell. */
  readonly cell: number
  /** Sums are added as integers, exactly: of integers and decimals. */
  readonly exact: boolean
  /** `time` and `offset` tell where the record lies; only those that are `placed` read them. */
  readonly add: (cells: Cells, value: CellValue, time: number, offset: number) => void
  /** Its answer depends on where the records lie. */
  readonly placed?: true
  /** It takes whole records, by this instead of `add`, and may throw. */
  readonly addRecord?: (cells: Cells, record: Readonly<Record<string, unknown>>, time: number, offset: number) => void
  readonly merge: (into: Cells, from: Cells) => void
  /** As a record holds it; null over nothing but nulls. */
  readonly result: (cells: Cells) => unknown
  /** All that it knows are the numbers of its cells, but for what is in `big`. */
  readonly flat?: true
  /** The durable form, JSON. */
  readonly durable: Schema.Codec<unknown, unknown>
  /** A quick word that `durable` accepts a value as it is; anything else is left to `durable`. */
  readonly fits?: (value: unknown) => boolean
  readonly encode: (cells: Cells) => unknown
  /** Of a value that `durable` accepted. */
  readonly decode: (cells: Cells, value: unknown) => void
}

/** Cells that an aggregate needs. `count` reads the pane's own. */
export const cellsOf = ({ kind }: AggregateDeclaration): number => {
  if (kind === "count") return 0
  return kind === "avg" || kind === "first" || kind === "last" ? 2 : 1
}

export const makeAccumulator = (
  declaration: AggregateDeclaration,
  field: FieldSpec | undefined,
  cell: number
): Accumulator => {
  if (declaration.kind === "count") return countAccumulator(declaration)
  if (declaration.kind === "offsets") return offsetsAccumulator(declaration, cell)
  if (declaration.kind === "custom") return customAccumulator(declaration, cell)
  // a job that was made has the field; see CheckWindow
  const base = { declaration, field, cell, exact: field!.type._tag === "Int" || field!.type._tag === "Decimal" }
  switch (declaration.kind) {
    case "sum":
      return { ...base, ...amount(base), flat: true, result: (cells) => sumResult(cells, cell, field!.type) }
    case "avg":
      return avgAccumulator(base)
    case "min":
    case "max":
      return extremeAccumulator(base, declaration.kind)
    case "countDistinct":
      return distinctAccumulator(base, declaration)
    case "first":
    case "last":
      return endAccumulator(base, declaration.kind)
    case "collect":
      return collectAccumulator(base, declaration)
    case "top":
      return topAccumulator(base, declaration)
  }
}

export type AccumulatorBase = Pick<Accumulator, "declaration" | "field" | "cell" | "exact">

const countAccumulator = (declaration: AggregateDeclaration): Accumulator => ({
  declaration,
  field: undefined,
  cell: 0,
  exact: true,
  flat: true,
  // the pane counts its records itself
  add: () => {},
  merge: () => {},
  result: (cells) => cells.numbers[0],
  durable: Schema.Null as unknown as Schema.Codec<unknown, unknown>, // values are held untyped here
  fits: (value) => value === null,
  encode: () => null,
  decode: () => {}
})

const fitsAmount = (value: unknown): boolean => value === null || (typeof value === "number" && Number.isFinite(value))

/** Integers within a double as numbers, beyond as their digits; doubles that JSON cannot hold as their names. */
const Amount = Schema.NullOr(Schema.Union([Schema.Finite, Schema.String])) as unknown as Schema.Codec<unknown, unknown> // as above

const encodeValue = (value: number | bigint | undefined): number | string | null => {
  if (value === undefined) return null
  return typeof value === "number" && Number.isFinite(value) ? value : String(value)
}

const decodeAmount = (cells: Cells, at: number, value: unknown, exact: boolean): void => {
  cells.numbers[at] = typeof value === "number" ? value : Number.NaN
  if (typeof value !== "string") return
  cells.numbers[at] = exact ? 0 : Number(value)
  if (exact) setBig(cells, at, BigInt(value))
}

/** What sums and means share: a total in the first cell. */
const amount = ({
  cell,
  exact
}: AccumulatorBase): Pick<Accumulator, "merge" | "durable" | "fits" | "encode" | "decode"> & {
  readonly add: (cells: Cells, value: CellValue) => void
} => {
  const add = (cells: Cells, value: CellValue): void => {
    if (value === null || typeof value === "string") return
    if (exact) return addExact(cells, cell, value)
    const before = cells.numbers[cell]!
    cells.numbers[cell] = Number.isNaN(before) ? Number(value) : before + Number(value)
  }
  return {
    add,
    merge: (into, from) => {
      const total = exact ? exactAt(from, cell) : from.numbers[cell]!
      if (total !== undefined && !Number.isNaN(total)) add(into, total)
    },
    durable: Amount,
    fits: fitsAmount,
    encode: (cells) => encodeValue(exactAt(cells, cell)),
    decode: (cells, value) => decodeAmount(cells, cell, value, exact)
  }
}

const sumResult = (cells: Cells, cell: number, type: FieldType): unknown => {
  if (type._tag === "Double") return Number.isNaN(cells.numbers[cell]) ? null : cells.numbers[cell]
  const total = exactAt(cells, cell)
  if (total === undefined) return null
  return type._tag === "Decimal" ? Decimal.make(total, type.scale) : Number(total)
}

const avgAccumulator = (base: AccumulatorBase): Accumulator => {
  const { cell } = base
  const total = amount(base)
  const type = base.field!.type
  const counted = (cells: Cells) => (Number.isNaN(cells.numbers[cell + 1]) ? 0 : cells.numbers[cell + 1]!)
  return {
    ...base,
    flat: true,
    add: (cells, value) => {
      if (value === null || typeof value === "string") return
      total.add(cells, value)
      cells.numbers[cell + 1] = counted(cells) + 1
    },
    merge: (into, from) => {
      total.merge(into, from)
      if (counted(from) > 0) into.numbers[cell + 1] = counted(into) + counted(from)
    },
    result: (cells) => {
      const count = counted(cells)
      if (count === 0) return null
      if (type._tag === "Double") return cells.numbers[cell]! / count
      const exact = exactAt(cells, cell)! // counted values have a total
      return type._tag === "Decimal"
        ? Decimal.make(dividedEven(BigInt(exact), BigInt(count)), type.scale)
        : Number(exact) / count
    },
    durable: Schema.Tuple([Amount, Schema.Finite]) as unknown as Schema.Codec<unknown, unknown>, // as in countAccumulator
    encode: (cells) => [total.encode(cells), counted(cells)],
    decode: (cells, value) => {
      const [sum, count] = value as readonly [unknown, number] // the durable form above
      total.decode(cells, sum)
      cells.numbers[cell + 1] = count
    }
  }
}

/** The quotient, a half to the even neighbour. `count` is positive. */
const dividedEven = (total: bigint, count: bigint): bigint => {
  const quotient = total / count
  const rest = total % count
  const twice = (rest < 0n ? -rest : rest) * 2n
  const away = twice > count || (twice === count && quotient % 2n !== 0n)
  return away ? quotient + (total < 0n ? -1n : 1n) : quotient
}

/** One value, small or big: a cell with a big one is NaN, so that inline comparisons leave it to `add`. */
const extremeAccumulator = (base: AccumulatorBase, kind: "min" | "max"): Accumulator => {
  const { cell } = base
  const type = base.field!.type
  const valueAt = (cells: Cells): number | bigint | undefined => {
    const small = cells.numbers[cell]!
    return Number.isNaN(small) ? bigAt(cells, cell) : small
  }
  const put = (cells: Cells, value: number | bigint): void => {
    setBig(cells, cell, typeof value === "bigint" ? value : undefined)
    cells.numbers[cell] = typeof value === "bigint" ? Number.NaN : value
  }
  const add = (cells: Cells, value: CellValue): void => {
    if (value === null || typeof value === "string") return
    const before = valueAt(cells)
    if (before === undefined || (kind === "min" ? value < before : value > before)) put(cells, value)
  }
  return {
    ...base,
    flat: true,
    add,
    merge: (into, from) => add(into, valueAt(from) ?? null),
    result: (cells) => {
      const value = valueAt(cells)
      if (value === undefined) return null
      return type._tag === "Decimal" ? Decimal.make(value, type.scale) : value
    },
    durable: Amount,
    fits: fitsAmount,
    encode: (cells) => encodeValue(valueAt(cells)),
    decode: (cells, value) => {
      if (value === null) cells.numbers[cell] = Number.NaN
      else put(cells, typeof value === "string" && base.exact ? BigInt(value) : Number(value))
    }
  }
}

/** Whether values beyond the cap were left out, or only estimated. */
export const isCapped = ({ cell }: Accumulator, cells: Cells): boolean => cells.numbers[cell]! > 0
