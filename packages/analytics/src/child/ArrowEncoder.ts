/** Rows as an Arrow IPC stream: a batch for each chunk of DuckDB's, and the format's own mark of the end. */
import { arrowResult } from "@frazil/lake/arrow/columns"
import * as Arrow from "apache-arrow"
import type { Encoder } from "./Encoder.ts"
import type { Columns } from "./TextEncoders.ts"

/** The mark of the end: a continuation and a length of nought. */
const endBytes = 8

export const arrowEncoder = ({ names, types }: Columns): Encoder => {
  const { batch, schema } = arrowResult(names, types)
  const empty = Arrow.tableToIPC(new Arrow.Table(schema), "stream")
  const headBytes = empty.length - endBytes
  return {
    head: () => empty.subarray(0, headBytes),
    rows: (chunk, rows) => {
      const whole = Arrow.tableToIPC(new Arrow.Table(schema, [batch(chunk, rows)]), "stream")
      // the schema and the end stand once, around all batches
      return whole.subarray(headBytes, whole.length - endBytes)
    },
    tail: () => empty.subarray(headBytes)
  }
}
