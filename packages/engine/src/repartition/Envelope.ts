/**
 * What stands before a record in an internal topic: 40 bytes that tell its time, how far time had come where it was written,
 * and where it came from. The record follows as it is.
 *
 * `RepartitionWriter` writes it, `Lanes` reads it. Little-endian. A record of kind `control` has no record behind it: it says
 * how far time has come in the shard that wrote it, though nothing may have come of that for this partition.
 */

/** Of the form below; a newer program may read older ones, an older one stops. */
const version = 1

export const envelopeBytes = 40

const kindAt = 1
const inputAt = 2
const flagsAt = 3
const shardAt = 4
const eventTimeAt = 8
const watermarkAt = 16
const placeAt = 24
const reservedAt = 32

const controlKind = 1
const idleFlag = 1
const endedFlag = 2

export interface Envelope {
  readonly control: boolean
  /** Which of the inputs of the stage that reads it: a join has two. */
  readonly input: number
  /** The shard of that input's stage which wrote it. */
  readonly shard: number
  /** Epoch milliseconds; NaN without event time, and in a control record. */
  readonly eventTime: number
  /** How far time had come in that shard before the record, stamped before filters; −Infinity at the start. */
  readonly watermark: number
  /** `Place.ts`; 0 in a control record. */
  readonly place: number
  /** The shard is idle: it holds nobody's time back until its next record. */
  readonly idle: boolean
  /** The shard came to the end of a bounded input. */
  readonly ended: boolean
}

/** Writes into the same bytes again and again: copy them before the next call. */
export const makeEnvelopeWriter = (input: number, shard: number) => {
  const bytes = new Uint8Array(envelopeBytes)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, version)
  view.setUint8(inputAt, input)
  view.setUint32(shardAt, shard, true)
  view.setFloat64(reservedAt, 0, true)
  const write = (kind: number, flags: number, eventTime: number, watermark: number, place: number): Uint8Array => {
    view.setUint8(kindAt, kind)
    view.setUint8(flagsAt, flags)
    view.setFloat64(eventTimeAt, eventTime, true)
    view.setFloat64(watermarkAt, watermark, true)
    view.setFloat64(placeAt, place, true)
    return bytes
  }
  return {
    record: (eventTime: number, watermark: number, place: number): Uint8Array =>
      write(0, 0, eventTime, watermark, place),
    control: (watermark: number, idle: boolean, ended: boolean): Uint8Array =>
      write(controlKind, (idle ? idleFlag : 0) | (ended ? endedFlag : 0), Number.NaN, watermark, 0)
  }
}

/** A record of an internal topic that this job cannot have written as it is declared now. */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError"
}

/** Reads the envelope at `start`. Throws an `EnvelopeError` when this program did not write it: nobody else may write an internal topic. */
export const readEnvelope = (view: DataView, start: number, end: number): Envelope => {
  if (end - start < envelopeBytes || view.getUint8(start) !== version) {
    throw new EnvelopeError("has no envelope that this program knows")
  }
  const flags = view.getUint8(start + flagsAt)
  return {
    control: view.getUint8(start + kindAt) === controlKind,
    input: view.getUint8(start + inputAt),
    shard: view.getUint32(start + shardAt, true),
    eventTime: view.getFloat64(start + eventTimeAt, true),
    watermark: view.getFloat64(start + watermarkAt, true),
    place: view.getFloat64(start + placeAt, true),
    idle: (flags & idleFlag) !== 0,
    ended: (flags & endedFlag) !== 0
  }
}
