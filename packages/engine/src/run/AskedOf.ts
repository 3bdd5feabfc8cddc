/** What a lookup keeps of the record that it is asked about, when `Shard.ts` lets it in: a copy, since batches come and go. */
import type { ColumnBatch } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { Origin as Asked } from "../lookup/InFlight.ts"
import type { StageContext } from "./StageProgram.ts"

export const askedOf = (
  context: StageContext,
  batch: ColumnBatch | undefined,
  row: number,
  read: AnyRecord,
  eventTime: number,
  watermark: number
): Asked => {
  // what comes from no row comes from another lookup
  if (batch === undefined || row < 0) return context.answering!
  return {
    offset: batch.source.offsets[row]!,
    port: context.port,
    // the batch's buffer is used again
    bytes: batch.source.bytes.slice(batch.source.valueStarts[row], batch.source.valueEnds[row]),
    read,
    wide: batch.wide[row] !== 0,
    eventTime,
    watermark
  }
}
