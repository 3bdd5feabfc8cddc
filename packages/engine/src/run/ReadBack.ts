/** Reads source records back from their own bytes, as they were read the first time: those that state has kept. */
import { Decoder, type RecordBatch, type Topic } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { StagePlan } from "../plan/StagePlan.ts"

/** A batch of one record has no more than that. */
const first = Int32Array.of(0)
const noKey = Int32Array.of(-1)
const noNumber = Float64Array.of(0)
const noHeaders: RecordBatch["headers"] = new Map()

const batchOf = (bytes: Uint8Array): RecordBatch => ({
  length: 1,
  bytes,
  valueStarts: first,
  valueEnds: Int32Array.of(bytes.length),
  keyStarts: noKey,
  keyEnds: noKey,
  headers: noHeaders,
  offsets: noNumber,
  timestamps: noNumber
})

/** The record of bytes that decoded once, of a port, and whether it has wide decimals. */
export const makeReadOrigin = ({ ports }: StagePlan) => {
  const decoders: Array<Decoder<AnyRecord>> = []
  // a source's record type is known to its flow only
  const decoderOf = (port: number) =>
    (decoders[port] ??= Decoder.make(ports[port]!.source as unknown as Topic<AnyRecord>))
  return (bytes: Uint8Array, port: number): { readonly read: AnyRecord; readonly wide: boolean } => {
    const decoder = decoderOf(port)
    const batch = decoder.decode(batchOf(bytes))
    return { read: decoder.record(batch, 0), wide: batch.wide[0] !== 0 }
  }
}

/** The same for stages that keep records; a decoder is made when one is read. */
export const makeReadBack = (plan: StagePlan): ((bytes: Uint8Array, port: number) => AnyRecord) => {
  const read = makeReadOrigin(plan)
  return (bytes, port) => read(bytes, port).read
}
