/** A text column's pages: indices into its dictionary, or lengths and bytes. Text is copied as it lies in the batch. */
import type { PrimitiveType } from "../../../spec/Type.ts"
import { lowerBound, upperBound } from "../../../spec/Bounds.ts"
import { ColumnPages, type DictionaryPage, type Statistics } from "./ColumnPages.ts"
import { ByteExtremes, PlacedExtremes } from "./Extremes.ts"
import { TextDictionary } from "./TextDictionary.ts"

/** Texts of a column: UTF-8 ranges by row, start −1 means null. `view` is of the same memory as `bytes`. */
export interface Texts {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly starts: Int32Array
  readonly ends: Int32Array
}

const lengthBytes = 4
/** Longer text is copied by the engine's own copy, whose call costs more than it saves on less. */
const copiedByWords = 64
/** A longer one is cut in the statistics, to a quarter as many code points. */
const statisticBytesMax = 256
const text: PrimitiveType = { _tag: "string" }
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

export class TextPages extends ColumnPages {
  private readonly known = new TextDictionary()
  private readonly extremes = new ByteExtremes()
  /** Of the page in the making. */
  private readonly placed = new PlacedExtremes()

  append(texts: Texts, rows: Int32Array): void {
    const taken = this.plain ? 0 : this.appendIndices(texts, rows)
    if (taken < rows.length) this.appendPlain(texts, rows, taken)
    this.endPageWhenFull()
  }

  /** Until the dictionary is full; gives how many rows it took. */
  private appendIndices({ bytes, ends, starts, view }: Texts, rows: Int32Array): number {
    this.reserveIndices(rows.length)
    const { indices, known } = this
    let { values } = this
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const start = starts[row]!
      if (start < 0) {
        this.setNull(this.rows + i)
        continue
      }
      const length = ends[row]! - start
      const { count } = known
      const index = known.indexOf(bytes, view, start, length)
      if (index === count) this.extremes.note(bytes, start, length)
      else if (index < 0) {
        this.values = values
        this.rows += i
        this.giveUpDictionary()
        return i
      }
      indices[values++] = index
    }
    this.values = values
    this.rows += rows.length
    return rows.length
  }

  private appendPlain({ bytes, ends, starts, view }: Texts, rows: Int32Array, from: number): void {
    const { placed } = this
    const first = this.rows - from
    let room = 0
    for (let i = from; i < rows.length; i++) {
      const start = starts[rows[i]!]!
      if (start >= 0) room += lengthBytes + ends[rows[i]!]! - start
    }
    this.reserve(room)
    const { target, view: to } = this
    let at = this.used
    for (let i = from; i < rows.length; i++) {
      const row = rows[i]!
      const start = starts[row]!
      if (start < 0) {
        this.setNull(first + i)
        continue
      }
      const end = ends[row]!
      const length = end - start
      to.setInt32(at, length, true)
      at += lengthBytes
      if (length > copiedByWords) {
        target.set(bytes.subarray(start, end), at)
        at += length
      } else {
        let read = start
        for (const wordsEnd = end - 3; read < wordsEnd; read += 4, at += 4)
          to.setInt32(at, view.getInt32(read, true), true)
        for (; read < end; read++) target[at++] = bytes[read]!
      }
      placed.note(target, at - length, length)
    }
    this.used = at
    this.rows = first + rows.length
  }

  override get dictionary(): DictionaryPage {
    const { bytes, count, used } = this.known
    return { bytes: bytes.subarray(0, used), values: count }
  }

  protected override get dictionaryValues(): number {
    return this.known.count
  }

  override get statistics(): Statistics | undefined {
    const found = this.extremes.values
    if (found === undefined) return undefined
    if (found.min.length <= statisticBytesMax && found.max.length <= statisticBytesMax) return { ...found, exact: true }
    const codePointsMax = statisticBytesMax / 4
    return {
      min: lowerBound(text, utf8.decode(found.min), codePointsMax),
      max: upperBound(text, utf8.decode(found.max), codePointsMax),
      exact: false
    }
  }

  protected override endPage(): void {
    this.placed.giveTo(this.extremes, this.target)
    super.endPage()
  }

  protected override forget(): void {
    this.known.clear()
    this.extremes.clear()
  }
}
