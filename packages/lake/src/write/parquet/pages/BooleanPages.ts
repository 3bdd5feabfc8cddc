/** A column of booleans: a bit for each value, without a dictionary. */
import { ColumnPages, type Statistics } from "./ColumnPages.ts"

export class BooleanPages extends ColumnPages {
  private falses = 0
  private trues = 0

  constructor(required: boolean) {
    super(required, { plain: true })
  }

  /** By row 0 or 1; 2 is null. */
  append(values: Uint8Array, rows: Int32Array): void {
    this.reserve(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const value = values[rows[i]!]!
      if (value === 2) {
        this.setNull(this.rows + i)
        continue
      }
      const bit = this.values++ & 7
      if (bit === 0) this.target[this.used++] = 0
      this.target[this.used - 1]! |= value << bit
      if (value === 1) this.trues++
      else this.falses++
    }
    this.rows += rows.length
    this.endPageWhenFull()
  }

  override get statistics(): Statistics | undefined {
    if (this.falses + this.trues === 0) return undefined
    return { min: Uint8Array.of(this.falses > 0 ? 0 : 1), max: Uint8Array.of(this.trues > 0 ? 1 : 0), exact: true }
  }

  protected override forget(): void {
    this.falses = 0
    this.trues = 0
  }
}
