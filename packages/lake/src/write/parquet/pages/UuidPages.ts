/** A column of UUIDs, whose texts become the 16 bytes that they spell. No dictionary: ids rarely come twice. */
import { ColumnPages, type Statistics } from "./ColumnPages.ts"
import { ByteExtremes, PlacedExtremes } from "./Extremes.ts"
import type { Texts } from "./TextPages.ts"

const uuidBytes = 16
const uuidTextBytes = 36
/** Where in its text the two digits of each byte begin. */
const places = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)

/** The value of a hexadecimal digit in ASCII. */
const digit = (character: number): number => (character < 58 ? character - 48 : (character | 32) - 87)

export class UuidPages extends ColumnPages {
  private readonly extremes = new ByteExtremes()
  /** Of the page in the making. */
  private readonly placed = new PlacedExtremes()

  constructor(required: boolean) {
    super(required, { plain: true })
  }

  /** Texts that were decoded as UUIDs. */
  append({ bytes, ends, starts }: Texts, rows: Int32Array): void {
    this.reserve(rows.length * uuidBytes)
    const { target } = this
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const start = starts[row]!
      if (start < 0) {
        this.setNull(this.rows + i)
        continue
      }
      if (ends[row]! - start !== uuidTextBytes) throw new TypeError("a uuid of the batch is none")
      for (let k = 0; k < uuidBytes; k++) {
        const at = start + places[k]!
        target[this.used + k] = (digit(bytes[at]!) << 4) | digit(bytes[at + 1]!)
      }
      this.placed.note(target, this.used, uuidBytes)
      this.used += uuidBytes
    }
    this.rows += rows.length
    this.endPageWhenFull()
  }

  override get statistics(): Statistics | undefined {
    const found = this.extremes.values
    return found === undefined ? undefined : { ...found, exact: true }
  }

  protected override endPage(): void {
    this.placed.giveTo(this.extremes, this.target)
    super.endPage()
  }

  protected override forget(): void {
    this.extremes.clear()
  }
}
