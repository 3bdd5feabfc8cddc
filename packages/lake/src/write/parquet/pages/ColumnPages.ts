/**
 * One column of a row group in the making: its pages, not compressed yet, and what its statistics will say.
 *
 * Of a page the values are written behind room for its levels, whose length is known at its end; so a page is one piece of
 * memory, and nothing is moved. A column begins with a dictionary; where that is full, it goes on plainly.
 *
 * **Bounds**: a page ends with the rows that take it to `pageRowsTarget`, or to `pageBytesTarget`.
 */
import { indexBits, indexBytesMax, levelBytesMax, putIndices, putLevels } from "./Hybrid.ts"

/** Rows that a column is given at once, at most. */
export const chunkRowsMax = 2048
const pageRowsTarget = 16_384
const pageRowsMax = pageRowsTarget + chunkRowsMax
const pageBytesTarget = 1_048_576
/** Where a page's values begin. */
const valuesAt = levelBytesMax(pageRowsMax)

export interface Page {
  /** Levels and values. Lent until the column is cleared. */
  readonly bytes: Uint8Array
  readonly rows: number
  /** Values are indices into the dictionary. */
  readonly indexed: boolean
}

export interface DictionaryPage {
  readonly bytes: Uint8Array
  readonly values: number
}

/** Of columns whose values rarely come twice. */
const noDictionary: DictionaryPage = { bytes: new Uint8Array(), values: 0 }

/** Bounds in Parquet's plain encoding; not exact where text was cut. */
export interface Statistics {
  readonly min: Uint8Array | undefined
  readonly max: Uint8Array | undefined
  readonly exact: boolean
}

/** What all buffers of a writer know of a column. */
export interface ColumnHabit {
  /** Its dictionary was full once: the next row groups begin plainly. */
  plain: boolean
}

export abstract class ColumnPages {
  private readonly required: boolean
  private readonly habit: ColumnHabit
  /** The page in the making. */
  protected target = new Uint8Array(valuesAt + chunkRowsMax * 4)
  protected view = new DataView(this.target.buffer)
  /** Where the page's plain values end. */
  protected used = valuesAt
  /** Rows, values that are there, and nulls of the page in the making. */
  protected rows = 0
  protected values = 0
  private nulls = 0
  /** A bit for each row: 1 is a value, 0 is null. */
  private readonly validity = new Uint8Array(Math.ceil(pageRowsMax / 8))
  /** Of a page that is indexed, by value. */
  protected indices = new Uint16Array(chunkRowsMax)
  protected plain: boolean
  private ended: Array<Page> = []
  private readonly idle: Array<Uint8Array<ArrayBuffer>> = []
  private nullsEnded = 0

  constructor(required: boolean, habit: ColumnHabit) {
    this.required = required
    this.habit = habit
    this.plain = habit.plain
  }

  /** The column's dictionary, to be written before its pages when one of them is indexed. */
  get dictionary(): DictionaryPage {
    return noDictionary
  }
  protected get dictionaryValues(): number {
    return 0
  }
  /** Undefined when all is null. */
  abstract get statistics(): Statistics | undefined
  /** Forgets what the row group held beyond its pages. */
  protected abstract forget(): void

  get nullCount(): number {
    return this.nullsEnded + this.nulls
  }

  /** The pages of the row group, which nothing is added to any more. */
  finish(): ReadonlyArray<Page> {
    this.endPage()
    return this.ended
  }

  /** Makes room for the next row group; memory of pages is used again. */
  clear(): void {
    for (const { bytes } of this.ended) this.idle.push(new Uint8Array(bytes.buffer as ArrayBuffer)) // our own, never shared
    this.ended = []
    this.nullsEnded = 0
    this.plain = this.habit.plain
    this.startPage()
    this.forget()
  }

  protected setNull(row: number): void {
    if (this.required) throw new TypeError("a required column of the batch has a null")
    if (this.nulls === 0) this.validity.fill(255)
    this.nulls++
    this.validity[row >> 3]! &= ~(1 << (row & 7))
  }

  /** Room for so many bytes of values more. */
  protected reserve(bytes: number): void {
    if (this.used + bytes <= this.target.length) return
    const grown = new Uint8Array(Math.max(this.target.length * 2, this.used + bytes))
    grown.set(this.target.subarray(0, this.used))
    this.target = grown
    this.view = new DataView(grown.buffer)
  }

  protected reserveIndices(count: number): void {
    if (this.values + count <= this.indices.length) return
    const grown = new Uint16Array(Math.max(this.indices.length * 2, this.values + count))
    grown.set(this.indices)
    this.indices = grown
  }

  /** The dictionary is full: what was indexed is a page of its own. */
  protected giveUpDictionary(): void {
    this.endPage()
    this.plain = true
    this.habit.plain = true
  }

  protected endPageWhenFull(): void {
    if (this.rows >= pageRowsTarget || this.used - valuesAt >= pageBytesTarget) this.endPage()
  }

  protected endPage(): void {
    if (this.rows === 0) return
    const indexed = !this.plain && this.values > 0
    if (indexed) {
      const bits = indexBits(this.dictionaryValues)
      this.reserve(indexBytesMax(this.values, bits))
      this.used = putIndices(this.target, this.used, this.indices, this.values, bits)
    }
    const start = this.required ? valuesAt : putLevels(this.target, valuesAt, this.validity, this.rows, this.nulls)
    this.ended.push({ bytes: this.target.subarray(start, this.used), rows: this.rows, indexed })
    this.nullsEnded += this.nulls
    this.target = this.idle.pop() ?? new Uint8Array(valuesAt + chunkRowsMax * 4)
    this.startPage()
  }

  private startPage(): void {
    this.view = new DataView(this.target.buffer)
    this.used = valuesAt
    this.rows = 0
    this.values = 0
    this.nulls = 0
  }
}
