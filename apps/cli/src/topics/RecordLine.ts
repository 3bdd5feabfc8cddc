/**
 * Records as lines: their bytes as they are, or with where they stand.
 *
 * Pure; `ReadTopic` writes them, with a mask where the topic has personal fields. `--meta` gives `{"partition","offset","timestamp","key","value"}`: a value that is JSON
 * stands as it was written, so that no number is rounded; any other is `value_base64`, a key that is no text `key_base64`.
 * Headers follow where a record has some.
 */
import { Buffer } from "node:buffer"
import { personalText, type RecordBatch } from "@frazil/core"

const newline = 10
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text, on one line, when it is a JSON value. */
const jsonOf = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  try {
    JSON.parse(text)
    // a line break of a JSON text is white space between its tokens
    return text.trim().replaceAll(/[\r\n]+/g, " ")
  } catch {
    return undefined
  }
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")

const valueOf = (batch: RecordBatch, row: number): Uint8Array =>
  batch.bytes.subarray(batch.valueStarts[row]!, batch.valueEnds[row]!)

const keyMember = (batch: RecordBatch, row: number): string => {
  const start = batch.keyStarts[row]!
  if (start < 0) return `"key":null`
  const bytes = batch.bytes.subarray(start, batch.keyEnds[row]!)
  const text = textOf(bytes)
  return text === undefined ? `"key_base64":"${base64(bytes)}"` : `"key":${JSON.stringify(text)}`
}

/** From a record's bytes to what may be seen of it, as JSON on one line. */
export type Mask = (bytes: Uint8Array) => string

const valueMember = (batch: RecordBatch, row: number, mask: Mask | undefined): string => {
  const bytes = valueOf(batch, row)
  if (mask !== undefined) return `"value":${mask(bytes)}`
  const json = jsonOf(textOf(bytes))
  return json === undefined ? `"value_base64":"${base64(bytes)}"` : `"value":${json}`
}

/** What may be seen of a record beside its value. */
export interface Masked {
  readonly value: Mask | undefined
  readonly key: boolean
}

const headersMember = (batch: RecordBatch, row: number, masked: boolean): ReadonlyArray<string> => {
  const headers = batch.headers.get(row)
  if (headers === undefined) return []
  const shown = masked ? Object.fromEntries(Object.keys(headers).map((name) => [name, personalText])) : headers
  return [`"headers":${JSON.stringify(shown)}`]
}

/** A record with its position, as JSON. */
export const metaLine = (partition: number, batch: RecordBatch, row: number, masked: Masked): string => {
  const members = [
    `"partition":${partition}`,
    `"offset":${batch.offsets[row]!}`,
    `"timestamp":"${new Date(batch.timestamps[row]!).toISOString()}"`,
    masked.key && batch.keyStarts[row]! >= 0 ? `"key":"${personalText}"` : keyMember(batch, row),
    ...headersMember(batch, row, masked.value !== undefined),
    valueMember(batch, row, masked.value)
  ]
  return `{${members.join(",")}}\n`
}

/** The first `rows` records of a batch, each value byte for byte and a newline. */
export const rawLines = (batch: RecordBatch, rows: number): Uint8Array => {
  let length = 0
  for (let row = 0; row < rows; row++) length += batch.valueEnds[row]! - batch.valueStarts[row]! + 1
  const out = new Uint8Array(length)
  let at = 0
  for (let row = 0; row < rows; row++) {
    const value = valueOf(batch, row)
    out.set(value, at)
    at += value.length
    out[at++] = newline
  }
  return out
}

/** The first `rows` records of a batch, masked, a newline behind each. */
export const maskedLines = (batch: RecordBatch, rows: number, mask: Mask): string => {
  let text = ""
  for (let row = 0; row < rows; row++) text += `${mask(valueOf(batch, row))}\n`
  return text
}
