/** Reads source records back from their own bytes, as they were read the first time: those that state has kept. */
import { Decoder, makeRecordBuilder, type Topic } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { StagePlan } from "../plan/StagePlan.ts"

/** The record of bytes that decoded once, of a port, and whether it has wide decimals. */
export const makeReadOrigin = ({ ports }: StagePlan) => {
  const builder = makeRecordBuilder()
  const decoders: Array<Decoder<AnyRecord>> = []
  // a source's record type is known to its flow only
  const decoderOf = (port: number) =>
    (decoders[port] ??= Decoder.make(ports[port]!.source as unknown as Topic<AnyRecord>))
  return (bytes: Uint8Array, port: number): { readonly read: AnyRecord; readonly wide: boolean } => {
    const decoder = decoderOf(port)
    builder.add(bytes, null)
    const batch = decoder.decode({ ...builder.take(), offsets: new Float64Array(1), timestamps: new Float64Array(1) })
    return { read: decoder.record(batch, 0), wide: batch.wide[0] !== 0 }
  }
}

/** The same for stages that keep records; a decoder is made when one is read. */
export const makeReadBack = (plan: StagePlan): ((bytes: Uint8Array, port: number) => AnyRecord) => {
  const read = makeReadOrigin(plan)
  return (bytes, port) => read(bytes, port).read
}
