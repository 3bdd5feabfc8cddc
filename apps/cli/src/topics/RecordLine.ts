/**
 * Records as lines: their bytes as they are, or with where they stand.
 *
 * Pure; `ReadTopic` writes them. `--meta` gives `{"partition","offset","timestamp","key","value"}`: a value that is JSON
 * stands as it was written, so that no number is rounded; any other is `value_base64`, a key that is no text `key_base64`.
 * Headers follow where a record has some.
 */
import { Buffer } from "node:buffer"
import type { RecordBatch } from "@frazil/core"

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

const valueMember = (batch: RecordBatch, row: number): string => {
  const bytes = valueOf(batch, row)
  const json = jsonOf(textOf(bytes))
  return json === undefined ? `"value_base64":"${base64(bytes)}"` : `"value":${json}`
}

/** A record with its position, as JSON. */
export const metaLine = (partition: number, batch: RecordBatch, row: number): string => {
  const headers = batch.headers.get(row)
  const members = [
    `"partition":${partition}`,
    `"offset":${batch.offsets[row]!}`,
    `"timestamp":"${new Date(batch.timestamps[row]!).toISOString()}"`,
    keyMember(batch, row),
    ...(headers === undefined ? [] : [`"headers":${JSON.stringify(headers)}`]),
    valueMember(batch, row)
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
