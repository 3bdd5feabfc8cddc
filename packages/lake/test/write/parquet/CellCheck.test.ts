/** The self-check of DuckDB's cells notices what it is there for: cells laid out in another way, and rows that read back differently. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { type Fill, isCellLayout, readsBack } from "../../../src/write/parquet/CellCheck.ts"
import { fillRows } from "../../../src/write/parquet/RowFill.ts"
import { lake } from "./WriterCases.ts"

/** Two cells by DuckDB's documentation: length, then the text itself, or its first four bytes and a pointer. */
const cells = () => {
  const view = new DataView(new ArrayBuffer(32))
  const write = (at: number, text: string) =>
    new TextEncoder().encode(text).forEach((byte, i) => view.setUint8(at + i, byte))
  view.setUint32(0, 12, true)
  write(4, "twelve bytes")
  view.setUint32(16, 23, true)
  write(20, "thir")
  view.setBigUint64(24, 140_000_000_000_000n, true)
  return view
}
const pointedAt = () => new TextEncoder().encode("thirteen bytes and more")
const never = () => {
  throw new Error("a pointer that is none was followed")
}

const safely: Fill = (plan, appender, batch, rows) => fillRows(plan, appender, batch, rows, 0, rows.length, 0)

layer(lake)("the self-check of cells", (it) => {
  it.effect("takes cells as they are expected, and no others; it follows no pointer that may be none", () =>
    Effect.sync(() => {
      assert.isTrue(isCellLayout(cells(), pointedAt))
      const changes: ReadonlyArray<(view: DataView) => void> = [
        (view) => view.setUint32(0, 11, true),
        (view) => view.setUint8(4, 0),
        (view) => view.setUint32(16, 24, true),
        (view) => view.setUint8(23, 0),
        (view) => view.setBigUint64(24, 0n, true)
      ]
      for (const change of changes) {
        const view = cells()
        change(view)
        assert.isFalse(isCellLayout(view, never))
      }
      assert.isFalse(isCellLayout(cells(), () => new TextEncoder().encode("thirteen bytes and less")))
    })
  )

  it.effect("takes rows that read back as they were given, and notices what does not", () =>
    Effect.gen(function* () {
      const connection = yield* (yield* DuckDb).connect
      assert.isTrue(yield* readsBack(connection))
      assert.isTrue(yield* readsBack(connection, safely))
      const fewer: Fill = (plan, appender, batch, rows) => safely(plan, appender, batch, rows.subarray(1))
      const twice: Fill = (plan, appender, batch, rows) => {
        const other = rows.map((row) => (row === 1 ? 2 : row))
        safely(plan, appender, batch, other)
      }
      // the column of 64 bits holds what that of 16 bits should
      const shifted: Fill = (plan, appender, batch, rows) =>
        safely(plan, appender, { ...batch, columns: batch.columns.with(4, batch.columns[2]!) }, rows)
      for (const fill of [fewer, twice, shifted]) assert.isFalse(yield* readsBack(connection, fill))
    }).pipe(Effect.scoped)
  )
})
