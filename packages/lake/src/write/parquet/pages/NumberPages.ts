/**
 * A column of numbers: integers, decimals, times, doubles. Cells come as doubles, of decimals beyond 2^53 as bigints beside.
 *
 * A number is written as two halves of 32 bits: a bigint for each would cost several times as much.
 */
import type { ColumnBatch } from "@frazil/core"
import { type ColumnHabit, ColumnPages, type DictionaryPage, type Statistics } from "./ColumnPages.ts"
import { NumberDictionary } from "./NumberDictionary.ts"

/** How a number lies in a page. `Fixed`: big-endian, of as many bytes as the precision needs. `Micros`: from milliseconds. */
export type NumberForm =
  | { readonly _tag: "Int32" }
  | { readonly _tag: "Int64" }
  | { readonly _tag: "Micros" }
  | { readonly _tag: "Double" }
  | { readonly _tag: "Fixed"; readonly bytes: number }

/** Where a batch keeps a column's decimals that no double holds. */
export interface Wide {
  readonly batch: ColumnBatch
  readonly field: number
}

/** Rows are marked that have one in any column. */
const wideAt = ({ batch, field }: Wide, row: number): bigint | undefined =>
  batch.wide[row] === 0 ? undefined : batch.wideDecimals.get(row * batch.shape.fields.length + field)

const twoTo32 = 4_294_967_296
const half = new Float64Array(1)
const halves = new Int32Array(half.buffer)

export class NumberPages extends ColumnPages {
  private readonly form: NumberForm
  private readonly width: number
  private readonly known = new NumberDictionary()
  private least = Number.POSITIVE_INFINITY
  private greatest = Number.NEGATIVE_INFINITY
  private wideLeast: bigint | undefined
  private wideGreatest: bigint | undefined
  /** The number that was split last. */
  private low = 0
  private high = 0

  constructor(form: NumberForm, required: boolean, habit: ColumnHabit) {
    super(required, habit)
    this.form = form
    this.width = form._tag === "Fixed" ? form.bytes : form._tag === "Int32" ? 4 : 8
  }

  /** Rows of `values`; NaN is null, unless `wide` has it. */
  append(values: Float64Array, rows: Int32Array, wide: Wide | undefined): void {
    if (wide !== undefined && rows.some((row) => wideAt(wide, row) !== undefined)) this.appendWide(values, rows, wide)
    else {
      const taken = this.plain ? 0 : this.appendIndices(values, rows)
      if (taken < rows.length) this.appendPlain(values, rows, taken)
    }
    this.endPageWhenFull()
  }

  private split(value: number): void {
    switch (this.form._tag) {
      case "Int32":
        this.low = value | 0
        this.high = value < 0 ? -1 : 0
        return
      case "Double":
        half[0] = value
        this.low = halves[0]!
        this.high = halves[1]!
        return
      default: {
        const whole = this.form._tag === "Micros" ? Math.round(value * 1000) : value
        const high = Math.floor(whole / twoTo32)
        this.low = (whole - high * twoTo32) | 0
        this.high = high
      }
    }
  }

  private appendIndices(values: Float64Array, rows: Int32Array): number {
    this.reserveIndices(rows.length)
    const { indices, known } = this
    let taken = 0
    let { greatest, least, values: held } = this
    for (; taken < rows.length; taken++) {
      const value = values[rows[taken]!]!
      if (value !== value) {
        this.setNull(this.rows + taken)
        continue
      }
      this.split(value)
      const index = known.indexOf(this.low, this.high)
      if (index < 0) break
      if (value < least) least = value
      if (value > greatest) greatest = value
      indices[held++] = index
    }
    this.least = least
    this.greatest = greatest
    this.values = held
    this.rows += taken
    if (taken < rows.length) this.giveUpDictionary()
    return taken
  }

  private appendPlain(values: Float64Array, rows: Int32Array, from: number): void {
    const first = this.rows - from
    this.reserve((rows.length - from) * this.width)
    let { greatest, least, used } = this
    for (let i = from; i < rows.length; i++) {
      const value = values[rows[i]!]!
      if (value !== value) {
        this.setNull(first + i)
        continue
      }
      if (value < least) least = value
      if (value > greatest) greatest = value
      this.split(value)
      this.put(used)
      used += this.width
    }
    this.least = least
    this.greatest = greatest
    this.used = used
    this.rows = first + rows.length
  }

  /** Writes the number that was split last. */
  private put(at: number): void {
    const { high, low, view } = this
    switch (this.form._tag) {
      case "Int32":
        view.setInt32(at, low, true)
        return
      case "Fixed":
        putFixed(this.target, at, this.width, low, high)
        return
      default:
        view.setInt32(at, low, true)
        view.setInt32(at + 4, high, true)
    }
  }

  private appendWide(values: Float64Array, rows: Int32Array, wide: Wide): void {
    if (!this.plain) this.giveUpDictionary()
    for (let i = 0; i < rows.length; i++) {
      const found = wideAt(wide, rows[i]!)
      if (found === undefined) {
        this.appendPlain(values, rows.subarray(i, i + 1), 0)
        continue
      }
      this.reserve(this.width)
      this.target.set(this.bytesOf(found), this.used)
      this.used += this.width
      this.rows++
      if (this.wideLeast === undefined || found < this.wideLeast) this.wideLeast = found
      if (this.wideGreatest === undefined || found > this.wideGreatest) this.wideGreatest = found
    }
  }

  private bytesOf(value: bigint): Uint8Array {
    const bytes = new Uint8Array(this.width)
    let rest = value
    for (let i = 0; i < this.width; i++, rest >>= 8n) {
      bytes[this.form._tag === "Fixed" ? this.width - 1 - i : i] = Number(rest & 255n)
    }
    return bytes
  }

  private plainOf(value: number): Uint8Array {
    this.split(value)
    return this.splitBytes()
  }

  /** The number that was split last, behind the page's end: nothing is added to it. */
  private splitBytes(): Uint8Array {
    this.reserve(this.width)
    this.put(this.used)
    return this.target.slice(this.used, this.used + this.width)
  }

  override get dictionary(): DictionaryPage {
    const { count, highs, lows } = this.known
    const bytes = new Uint8Array(count * this.width)
    for (let i = 0; i < count; i++) {
      this.low = lows[i]!
      this.high = highs[i]!
      bytes.set(this.splitBytes(), i * this.width)
    }
    return { bytes, values: count }
  }

  protected override get dictionaryValues(): number {
    return this.known.count
  }

  override get statistics(): Statistics | undefined {
    const { greatest, least, wideGreatest, wideLeast } = this
    const any = least <= greatest
    if (!any && wideLeast === undefined) return undefined
    const isDouble = this.form._tag === "Double"
    // 0 and −0 are equal to a reader: the bounds take in both
    const min = wideLeast !== undefined && !(any && BigInt(least) < wideLeast) ? this.bytesOf(wideLeast) : undefined
    const max =
      wideGreatest !== undefined && !(any && BigInt(greatest) > wideGreatest) ? this.bytesOf(wideGreatest) : undefined
    return {
      min: min ?? this.plainOf(isDouble && least === 0 ? -0 : least),
      max: max ?? this.plainOf(isDouble && greatest === 0 ? 0 : greatest),
      exact: true
    }
  }

  protected override forget(): void {
    this.known.clear()
    this.least = Number.POSITIVE_INFINITY
    this.greatest = Number.NEGATIVE_INFINITY
    this.wideLeast = undefined
    this.wideGreatest = undefined
  }
}

/** Two's complement, the greatest byte first. */
const putFixed = (target: Uint8Array, at: number, width: number, low: number, high: number): void => {
  const sign = high < 0 ? 255 : 0
  for (let i = 0; i < width; i++) {
    target[at + width - 1 - i] = i < 4 ? low >> (8 * i) : i < 8 ? high >> (8 * (i - 4)) : sign
  }
}
