/**
 * Keys of the records that a pattern holds, as columns by a number: looked up when a record comes, at hand when its turn comes.
 *
 * Most records neither go on with something nor begin it: what tells so of a key lies in a few dense columns, where the key's
 * objects would be fetched from all over the memory for each. **Guarantees**: `isOpen` is what `PatternState` told last; a number is
 * its key's as long as a record of it waits. **Bounds**: keys of records that wait, and as many that have none any more, so that a
 * key that comes again is found again.
 */
import { grown } from "../state/Grown.ts"
import { makeRecentKeys } from "../state/RecentKeys.ts"

const keysInitial = 1_024

/** Of a key that no record was left unmoved of since something changed. */
const noMask = -1

export class HeldKeys {
  private readonly numbers = new Map<string, number>()
  /** By number. */
  private readonly texts: Array<string> = []
  private waiting = new Int32Array(keysInitial)
  private beginning = new Int32Array(keysInitial)
  private open = new Uint8Array(keysInitial)
  private unmovedMasks = new Int32Array(keysInitial)
  /** By field that linked conditions read, then by number. */
  private readonly unmovedCells: ReadonlyArray<Array<unknown>>
  private readonly recent = makeRecentKeys<number>()
  private readonly free: Array<number> = []
  private idle = 0

  constructor(fieldsCount: number) {
    this.unmovedCells = Array.from({ length: fieldsCount }, () => [])
  }

  /** Of a record that is held next; `isOpen` is asked of a key that is not known. */
  of(text: string, isOpen: (text: string) => boolean): number {
    return this.numbers.get(text) ?? this.add(text, isOpen(text))
  }

  /** The same by the bytes of its text; undefined: it is not known by them. */
  ofBytes(bytes: DataView, start: number, end: number): number | undefined {
    return this.recent.find(bytes, start, end, 0)
  }

  remember(bytes: DataView, start: number, end: number, key: number): void {
    this.recent.put(bytes, start, end, 0, key, this.numbers.size)
  }

  /** One more of its records waits. */
  enter(key: number): void {
    if (this.waiting[key]!++ === 0) this.idle--
  }

  private add(text: string, isOpen: boolean): number {
    const key = this.free.pop() ?? this.nextNumber()
    this.numbers.set(text, key)
    this.texts[key] = text
    this.waiting[key] = 0
    this.beginning[key] = 0
    this.open[key] = isOpen ? 1 : 0
    this.unmovedMasks[key] = noMask
    this.idle++
    return key
  }

  private nextNumber(): number {
    const key = this.texts.push("") - 1
    if (key === this.waiting.length) {
      this.waiting = grown(this.waiting, new Int32Array(key * 2))
      this.beginning = grown(this.beginning, new Int32Array(key * 2))
      this.open = grown(this.open, new Uint8Array(key * 2))
      this.unmovedMasks = grown(this.unmovedMasks, new Int32Array(key * 2))
    }
    return key
  }

  /** One of its records waits no more. */
  leave(key: number): void {
    if (--this.waiting[key]! > 0) return
    this.idle++
    if (this.idle > keysInitial && this.idle * 2 > this.numbers.size) this.forgetIdle()
  }

  private forgetIdle(): void {
    for (const [text, key] of this.numbers) {
      if (this.waiting[key]! > 0) continue
      this.numbers.delete(text)
      this.texts[key] = ""
      for (const cells of this.unmovedCells) cells[key] = undefined
      this.free.push(key)
    }
    this.recent.clear()
    this.idle = 0
  }

  /** Undefined: no record of it waits. */
  find(text: string): number | undefined {
    const key = this.numbers.get(text)
    return key === undefined || this.waiting[key] === 0 ? undefined : key
  }

  textOf(key: number): string {
    return this.texts[key]!
  }

  /** A record that waits may begin a match. */
  begins(key: number): void {
    this.beginning[key]!++
  }

  beginsNoMore(key: number): void {
    this.beginning[key]!--
  }

  mayBegin(key: number): boolean {
    return this.beginning[key]! > 0
  }

  /** Whether it has partial matches. */
  isOpen(key: number): boolean {
    return this.open[key] !== 0
  }

  /** Something of the key changed: it has partial matches or none. */
  changed(text: string, isOpen: boolean): void {
    const key = this.numbers.get(text)
    if (key === undefined) return
    this.open[key] = isOpen ? 1 : 0
    this.unmovedMasks[key] = noMask
  }

  /** A record changed nothing: another one that conditions are told the same of changes nothing either, until something does. */
  leftUnmoved(key: number, mask: number, cells: ReadonlyArray<ReadonlyArray<unknown>>, row: number): void {
    this.unmovedMasks[key] = mask
    for (let at = 0; at < cells.length; at++) this.unmovedCells[at]![key] = cells[at]![row]
  }

  isLikeUnmoved(key: number, mask: number, cells: ReadonlyArray<ReadonlyArray<unknown>>, row: number): boolean {
    if (this.unmovedMasks[key] !== mask) return false
    for (let at = 0; at < cells.length; at++) if (cells[at]![row] !== this.unmovedCells[at]![key]) return false
    return true
  }
}
