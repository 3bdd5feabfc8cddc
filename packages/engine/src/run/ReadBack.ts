/** Reads source records back from their own bytes, as they were read the first time: those that state has kept. */
import { Decoder, makeRecordBuilder, type Topic } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { StagePlan } from "../plan/StagePlan.ts"

/** The record of bytes that decoded once, and whether it has wide decimals. */
export const makeReadOrigin = (plan: StagePlan) => {
  const decoder = Decoder.make(plan.source as unknown as Topic<AnyRecord>) // a source's record type is known to its flow only
  const builder = makeRecordBuilder()
  return (bytes: Uint8Array): { readonly read: AnyRecord; readonly wide: boolean } => {
    builder.add(bytes, null)
    const batch = decoder.decode({ ...builder.take(), offsets: new Float64Array(1), timestamps: new Float64Array(1) })
    return { read: decoder.record(batch, 0), wide: batch.wide[0] !== 0 }
  }
}

/** The same for stages that keep records; a decoder is made when one is read. */
export const makeReadBack = (plan: StagePlan): ((bytes: Uint8Array) => AnyRecord) => {
  let read: ReturnType<typeof makeReadOrigin> | undefined
  return (bytes) => (read ??= makeReadOrigin(plan))(bytes).read
}
